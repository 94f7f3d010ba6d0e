"""Ways to ask for a scenario, and callers who wait: what the tests of faults share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message

from mock_server.core.world import World
from tests.asgi import Answer, scope
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO, Mock

APIS = ("rivya", "acedata")
DOOR, HEADER, PREFER = "control door", "Mock-Scenario header", "Prefer header"
IN_KEY, IN_PROMPT, OF_TASK, DEFAULT = "key", "prompt", "its task", "server default"
CHANNELS = (DOOR, HEADER, PREFER, IN_KEY, IN_PROMPT, DEFAULT)
BY_REQUEST = (HEADER, PREFER, IN_KEY)
"""Channels that every request can use, not only a create."""
FAULTS = "/_mock/worlds/default/faults"
KEYS = {"rivya": KEY, "acedata": TOKEN}
ACCOUNTS = {"rivya": "rivya-test", "acedata": "acedata-test"}
PRICES = {"rivya": 57, "acedata": 1}
CREATE_BODIES: dict[str, dict[str, Any]] = {"rivya": MINIMAL, "acedata": VIDEO | {"async": True}}
NOBODY = {"rivya": "task_nobody", "acedata": "00000000-0000-4000-8000-000000000000"}
"""The id of a task that was never made."""


@dataclass(frozen=True)
class Asked:
    """A request, as it is sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


def create(
    api: str, name: str = "", channel: str = "", *, headers: Any = None, **fields: Any
) -> Asked:
    """A valid create that asks for the scenario `name` if its channel is one of requests."""
    body = CREATE_BODIES[api] | fields
    if channel == IN_PROMPT:
        body = body | {"prompt": f"{body['prompt']} mock:{name}"}
    path = "/api/v1/generations" if api == "rivya" else "/hailuo/videos"
    return _asked(("POST", path), api, name, channel, (headers, body))


def read(
    api: str, task_id: str, name: str = "", channel: str = "", *, headers: Any = None
) -> Asked:
    """A look at a task."""
    if api == "rivya":
        path = f"/api/v1/generations/{task_id}"
        return _asked(("GET", path), api, name, channel, (headers, None))
    body = {"action": "retrieve", "id": task_id}
    return _asked(("POST", "/hailuo/tasks"), api, name, channel, (headers, body))


def get(path: str, name: str = "", channel: str = "", *, headers: Any = None) -> Asked:
    """A GET of Rivya's, or of a video."""
    return _asked(("GET", path), "rivya", name, channel, (headers, None))


def _asked(
    where: tuple[str, str], api: str, name: str, channel: str, what: tuple[Any, Any]
) -> Asked:
    """where: method and path. what: headers and a body of JSON."""
    (method, path), (more, body) = where, what
    key = f"{KEYS[api]}+{name}" if channel == IN_KEY else KEYS[api]
    headers = {"authorization": f"Bearer {key}"} | dict(more or {})
    if channel == HEADER:
        headers["mock-scenario"] = name
    elif channel == PREFER:
        headers["prefer"] = f"scenario={name}"
    if body is None:
        return Asked(method, path, headers)
    headers["content-type"] = "application/json"
    return Asked(method, path, headers, json.dumps(body).encode())


def send(mock: Mock, asked: Asked) -> Answer:
    """The answer to a request that is answered at once."""
    return mock.request(asked.method, asked.path, headers=asked.headers, body=asked.body)


def door(mock: Mock, method: str, path: str = "", body: Any = None) -> Answer:
    """A request to the faults of the default world."""
    headers = {} if body is None else {"content-type": "application/json"}
    raw = b"" if body is None else json.dumps(body).encode()
    return mock.request(method, FAULTS + path, headers=headers, body=raw)


def stand(mock: Mock, **rule: Any) -> list[Any]:
    """Have this rule or scenario stand; the faults that it makes."""
    answer = door(mock, "POST", body=rule)
    assert answer.status == 201, answer.body
    faults: list[Any] = answer.json()["faults"]
    return faults


def task_id_of(document: Mapping[str, Any]) -> str:
    """The task's id in the answer to a create of either API."""
    found: str = document["id"] if "id" in document else document["task_id"]
    return found


def is_sound(world: World) -> bool:
    """Whether no credit is lost, made or held for nothing, in any account."""
    held: dict[str, int] = {}
    for task in world.tasks:
        if world.ledger.holds(task.id):
            account = task.order.account
            held[account] = held.get(account, 0) + task.order.price_credits
    for account in world.ledger.accounts:
        balance = world.ledger.balance(account)
        parts = (balance.available_credits, balance.reserved_credits, balance.spent_credits)
        if balance.granted_credits != sum(parts) or min(parts) < 0:
            return False
        if balance.reserved_credits != held.get(account, 0):
            return False
    return True


@dataclass
class Waiting:
    """A caller in this process who waits for an answer, and may hang up before it comes."""

    mock: Mock
    asked: Asked
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._has_sent = False
        self._gone = asyncio.Event()
        self._call = self.mock.driver.loop.create_task(self._run())
        self.breathe()

    def breathe(self) -> None:
        """Let everything that can happen now happen."""
        for _ in range(20):
            self.mock.driver.loop.run_until_complete(asyncio.sleep(0))

    @property
    def waits(self) -> bool:
        """Whether the request is still open."""
        self.breathe()
        return not self._call.done()

    @property
    def has_begun(self) -> bool:
        """Whether anything of an answer has come."""
        return bool(self.messages)

    def hang_up(self) -> None:
        """Leave, and let the server notice."""
        self._gone.set()
        self.breathe()

    def answer(self) -> Answer:
        """The answer, which must have come. Raises what the app raised."""
        assert not self.waits
        self._call.result()
        started, *rest = self.messages
        return Answer(
            started["status"],
            {name.decode().lower(): value.decode() for name, value in started["headers"]},
            b"".join(message.get("body", b"") for message in rest),
        )

    def linger(self) -> None:
        """Wait for what is read or written elsewhere, in threads; not for ever."""
        self.mock.driver.loop.run_until_complete(asyncio.wait({self._call}, timeout=0.2))

    def drop(self) -> None:
        """End the request if it is still open, so that nothing is left waiting."""
        self._call.cancel()
        self.breathe()

    async def _run(self) -> None:
        asked = self.asked
        await self.mock.app(
            scope(asked.method, asked.path, asked.headers), self._receive, self._send
        )

    async def _receive(self) -> Message:
        if not self._has_sent:
            self._has_sent = True
            return {"type": "http.request", "body": self.asked.body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.messages.append(message)


def advance(mock: Mock, seconds: float) -> None:
    """Move the clock, and let everything due happen before returning."""
    timekeeper = mock.fake.timekeepers["default"]
    mock.driver.loop.run_until_complete(timekeeper.advance(round(seconds * 1000)))
