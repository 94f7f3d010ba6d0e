"""A body comes late: nothing that was looked up before it is used after it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import force_setattr
from starlette.types import Message

from mock_server.door.routes import table
from tests.asgi import Answer, scope
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO, Mock, form

WORLD = "/_mock/worlds/other"
FORM = form({"kind": "image"}, {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)})
HOOK = {"url": "http://127.0.0.1:9/", "event_types": ["generation.failed"]}

BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/_mock/worlds"): {"name": "third"},
    ("PUT", "/_mock/worlds/{world}/snapshot"): None,  # the world's own
    ("PATCH", "/_mock/worlds/{world}/clock"): {"scale": 2},
    ("POST", "/_mock/worlds/{world}/clock/advance"): {"seconds": 1},
    ("POST", "/_mock/worlds/{world}/accounts"): {"name": "a", "credits": 1, "keys": []},
    ("PATCH", "/_mock/worlds/{world}/accounts/{account}"): {"credits": 7},
    ("POST", "/_mock/worlds/{world}/tasks/{task_id}/finish"): {"state": "failed"},
    ("POST", "/_mock/worlds/{world}/faults"): {"scenario": "insufficient_credits"},
    ("POST", "/_mock/worlds/{world}/requests/verify"): {"at_most": 9},
    ("POST", "/_mock/worlds/{world}/judgement"): {"only": ["HM101"]},
    ("PUT", "/_mock/worlds/{world}/inbox/{name}"): {"answers": [{"status": 500}]},
}
VENDORS: dict[tuple[str, str], Any] = {
    ("POST", "/api/v1/generations"): MINIMAL,
    ("POST", "/api/v1/files"): FORM,
    ("POST", "/api/v1/webhooks"): HOOK,
    ("PATCH", "/api/v1/webhooks/{endpoint_id}"): {"status": "active", "name": "back"},
    ("POST", "/hailuo/videos"): VIDEO | {"async": True},
    ("POST", "/hailuo/tasks"): {"action": "retrieve_batch", "ids": ["x"]},
}


class Other:
    """A mock with a second world that has a task and a webhook."""

    def __init__(self) -> None:
        self.mock = Mock()
        made = self.door("POST", "/_mock/worlds", {"name": "other", "clock": {"mode": "frozen"}})
        self.keys = {key["api"]: key["key"] for key in made.json()["keys"]}
        self.account = made.json()["keys"][0]["account"]
        key = self.keys["rivya"]
        self.task_id = self.mock.rivya("POST", "/generations", MINIMAL, key=key).json()["id"]
        self.endpoint_id = self.mock.rivya("POST", "/webhooks", HOOK, key=key).json()["id"]

    def door(self, method: str, path: str, body: Any = None) -> Answer:
        """A request to the control door."""
        text = b"" if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        return self.mock.request(method, path, headers=headers, body=text)

    def path(self, template: str) -> str:
        """A path with what is there."""
        names = {"world": "other", "account": self.account, "task_id": self.task_id}
        return template.format(**names, endpoint_id=self.endpoint_id, name="a")

    def late(
        self, method: str, path: str, body: bytes, between: Callable[[], object], kind: str
    ) -> Answer:
        """The head of a request, then something else, then its body in two pieces."""
        headers = {"content-type": kind, "content-length": str(len(body))}
        if path.startswith("/hailuo"):
            headers["authorization"] = f"Bearer {self.keys['acedata']}"
        elif path.startswith("/api"):
            headers["authorization"] = f"Bearer {self.keys['rivya']}"
        return self.mock.driver.loop.run_until_complete(
            self._late(scope(method, path, headers), body, between)
        )

    async def _late(self, sent: Any, body: bytes, between: Callable[[], object]) -> Answer:
        pieces: asyncio.Queue[Message] = asyncio.Queue()
        told: list[Message] = []

        async def send(message: Message) -> None:
            told.append(message)

        answering = asyncio.ensure_future(self.mock.app(sent, pieces.get, send))
        for _ in range(5):
            await asyncio.sleep(0)
        between()
        half = len(body) // 2
        pieces.put_nowait({"type": "http.request", "body": body[:half], "more_body": True})
        pieces.put_nowait({"type": "http.request", "body": body[half:], "more_body": False})
        await asyncio.wait_for(answering, 10)
        content = b"".join(each.get("body", b"") for each in told[1:])
        return Answer(told[0]["status"], {}, content)


@pytest.fixture
def other() -> Any:
    """A mock with a second world."""
    made = Other()
    yield made
    made.mock.close()


def body_of(other: Other, body: Any) -> tuple[bytes, str]:
    """A body and what it says to be."""
    if body is FORM:
        return FORM, "multipart/form-data; boundary=frontier"
    if body is None:
        return other.door("GET", f"{WORLD}/snapshot").body, "application/json"
    return json.dumps(body).encode(), "application/json"


def test_the_table_has_every_route_of_the_door_that_takes_a_body() -> None:
    taking = {(row.method, row.path) for row in table() if row.bodies}
    assert taking == set(BODIES)


@pytest.mark.parametrize(("method", "path"), list(VENDORS))
@pytest.mark.parametrize("how", ["reset", "drop"])
def test_a_request_to_an_api_changes_only_its_own_world(
    other: Other, method: str, path: str, how: str
) -> None:
    body, kind = body_of(other, VENDORS[method, path])
    worlds = other.mock.fake.worlds
    between = {"reset": worlds.reset, "drop": worlds.drop}[how]
    answer = other.late(method, other.path(path), body, lambda: between("other"), kind)
    assert answer.status >= 400, answer.body
    assert b"this world is gone" in answer.body
    if how == "reset":
        world = worlds["other"].world
        assert (len(world.tasks), len(world.uploads), len(world.endpoints)) == (0, 0, 0)
        assert len(world.journal) == 0


@pytest.mark.parametrize(("method", "path"), list(BODIES))
def test_a_request_to_the_door_is_refused_if_its_world_was_dropped_meanwhile(
    other: Other, method: str, path: str
) -> None:
    body, kind = body_of(other, BODIES[method, path])
    answer = other.late(
        method, other.path(path), body, lambda: other.mock.fake.worlds.drop("other"), kind
    )
    assert answer.status == (201 if path == "/_mock/worlds" else 404), answer.body


@pytest.mark.parametrize(("method", "path"), list(BODIES))
def test_a_request_to_the_door_is_about_the_world_that_is_there_when_its_body_comes(
    other: Other, method: str, path: str
) -> None:
    body, kind = body_of(other, BODIES[method, path])
    worlds = other.mock.fake.worlds
    answer = other.late(method, other.path(path), body, lambda: worlds.reset("other"), kind)
    gone = "{task_id}" in path
    assert (answer.status == 404) == gone, answer.body
    assert answer.status < 500, answer.body
    world = worlds["other"].world
    if path.endswith("/faults"):
        assert {fault.scenario for fault in world.faults} == {"insufficient_credits"}
    elif path.endswith("/accounts"):
        assert "a" in world.ledger.accounts
    elif path.endswith("/{account}"):
        assert world.ledger.balance(other.account).available_credits == 7
    elif path.endswith("/{name}"):
        assert [each.status for each in world.inboxes.of("a").answers] == [500]
    elif path.endswith("/clock"):
        assert world.clock.scale == 2


def test_a_webhook_deleted_meanwhile_stays_deleted(other: Other) -> None:
    path = f"/api/v1/webhooks/{other.endpoint_id}"
    key = other.keys["rivya"]

    def delete() -> None:
        world = other.mock.fake.worlds["other"].world
        endpoint = world.endpoints.find(other.endpoint_id, other.account)
        endpoint.set_status(type(endpoint.status)("revoked"), world.clock.now_ms())

    body = json.dumps({"status": "active", "name": "back"}).encode()
    answer = other.late("PATCH", path, body, delete, "application/json")
    assert answer.status == 404
    shown = other.mock.rivya("GET", f"/webhooks/{other.endpoint_id}", key=key).json()
    assert shown["status"] == "revoked"
    assert shown["name"] == ""


def test_a_webhook_deleted_during_a_lookup_stays_deleted(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(webhook_urls="strict")
    mock.addresses["example.com"] = ["93.184.216.34"]
    hook = {"url": "https://example.com/", "event_types": ["generation.failed"]}
    endpoint_id = mock.rivya("POST", "/webhooks", hook).json()["id"]
    looked_up = mock.resolve

    async def slow(host: str) -> list[str]:
        endpoint = next(iter(mock.world.endpoints))
        endpoint.set_status(type(endpoint.status)("revoked"), mock.world.clock.now_ms())
        return await looked_up(host)

    force_setattr(mock.fake, "resolve", slow)
    change = {"url": "https://example.com/", "status": "active"}
    assert mock.rivya("PATCH", f"/webhooks/{endpoint_id}", change).status == 404
    assert mock.rivya("GET", f"/webhooks/{endpoint_id}").json()["status"] == "revoked"


def test_a_request_with_a_late_body_counts_once(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(rivya__rate_limit=2)
    statuses = [mock.rivya("POST", "/webhooks", HOOK).status for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_a_request_without_a_key_is_refused_before_its_body(mock: Mock) -> None:
    for path in ("/api/v1/generations", "/api/v1/files", "/api/v1/webhooks", "/hailuo/videos"):

        async def never() -> Message:
            raise AssertionError("the body was waited for")

        told: list[Message] = []

        async def send(message: Message, told: list[Message] = told) -> None:
            told.append(message)

        sent = scope("POST", path, {"authorization": f"Bearer not-{KEY}-{TOKEN}"})
        mock.driver.loop.run_until_complete(mock.app(sent, never, send))
        assert told[0]["status"] == 401
