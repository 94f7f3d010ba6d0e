"""Helpers for tests of AceData's API: requests, error answers, callbacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import asdict

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.deliveries import Delivery
from mock_server.core.effects import NO_FAULT
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.outgoing.outbox import Outbox
from mock_server.simulation.timekeeper import Timekeeper
from tests import calls
from tests.asgi import Answer
from tests.mock import TOKEN, VIDEO, Mock

STATUS_OF: dict[str, int] = {
    row["const"]: row["x-status"]
    for row in json.loads((SCHEMAS / "acedata/error-codes.json").read_text("utf-8"))["anyOf"]
    if "const" in row
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
IMAGE_URL = "https://cdn.example.com/first.png"
CALLBACK_URL = "http://127.0.0.1:9/callback"
ASYNC = VIDEO | {"async": True}


def account(name: str, *, credits: int = 1000, **tokens: Any) -> dict[str, Any]:
    """An account's settings; `tokens` with underscores for hyphens: `good={}`."""
    return {
        "name": name,
        "credits": credits,
        "keys": [
            {"key": token.replace("_", "-"), "api": "acedata", **facts}
            for token, facts in tokens.items()
        ],
    }


def refusal(answer: Answer, code: str) -> str:
    """The message of a refusal, after checking its code, its status and its envelope."""
    assert answer.status == STATUS_OF[code], answer.body
    body = answer.json()
    assert set(body) == {"success", "error", "trace_id"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == code, body
    assert UUID.fullmatch(body["trace_id"])
    message: str = body["error"]["message"]
    return message


def invalid_at(answer: Answer, *places: str) -> str:
    """The message of a `bad_request` that names these places and no others."""
    message = refusal(answer, "bad_request")
    found = set(re.findall(r"(?:^|; )(body|/[^ ]*|header [^ ]+): ", message))
    assert found == set(places), message
    return message


def submit(mock: Mock, *, token: str = TOKEN, **fields: Any) -> str:
    """The task id of a new video in async mode."""
    answer = mock.acedata("/videos", ASYNC | fields, token=token)
    assert answer.status == 200, answer.body
    task_id: str = answer.json()["task_id"]
    return task_id


def retrieve(mock: Mock, task_id: str, *, token: str = TOKEN) -> Any:
    """The task object as it is now."""
    answer = mock.acedata("/tasks", {"action": "retrieve", "id": task_id}, token=token)
    assert answer.status == 200, answer.body
    return answer.json()


def balance(mock: Mock, name: str = "acedata-test") -> dict[str, int]:
    """An account's credits, by kind."""
    return asdict(mock.world.ledger.balance(name))


def state(mock: Mock) -> tuple[object, ...]:
    """What a refused request must not change."""
    return (balance(mock), len(mock.world.tasks))


def members(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object in a JSON value, with its value."""
    if isinstance(node, dict):
        yield from node.items()
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from members(child)


def hold(mock: Mock, body: Mapping[str, Any] = VIDEO, *, token: str = TOKEN) -> calls.OpenRequest:
    """A create that is answered when its video is ready."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    raw = json.dumps(body).encode()
    return calls.OpenRequest(mock, calls.Request("POST", "/hailuo/videos", headers, raw))


def bring_up_to_date(mock: Mock) -> None:
    """Send any other request: it brings a frozen world up to date."""
    assert mock.request("GET", "/_mock/health").status == 200


class RecordingOutbox(Outbox):
    """Keeps each callback instead of sending it."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self.posts: list[tuple[str, Any]] = []

    def task_ended(self, world: World, task: Task) -> None:
        for pending in self._callbacks.pending_events(world, task, NO_FAULT):
            world.dispatch.schedule(pending)

    def attempt_due(self, world: World, delivery: Delivery, on_end: Callable[[], None]) -> None:
        self.posts.append((delivery.url, json.loads(delivery.event.body)))


def record_callbacks(mock: Mock) -> RecordingOutbox:
    """Give the server an outbox that keeps its callbacks instead of sending them."""
    outbox = RecordingOutbox(Callbacks(mock.fake.settings.of(AceDataSettings)))
    use_timekeeper(mock, Timekeeper(mock.world, outbox))
    return outbox


def use_timekeeper(mock: Mock, timekeeper: Timekeeper) -> None:
    """Give the server this timekeeper."""
    mock.fake.worlds["default"].timekeeper = timekeeper
