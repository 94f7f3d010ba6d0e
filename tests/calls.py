"""Requests to a mock: made with a scenario through each channel, sent, or kept open."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.types import Message

from mock_server.core.world import World
from tests.asgi import Answer, scope
from tests.live import WAIT_S
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
HOW_OFTEN: list[tuple[dict[str, Any], str]] = [
    ({}, "xxxxxx"),
    ({"times": 2}, "xx...."),
    ({"skip": 2}, "..xxxx"),
    ({"every": 2}, ".x.x.x"),
    ({"skip": 1, "every": 3}, "...x.."),
    ({"skip": 1, "every": 2, "times": 1}, "..x..."),
    ({"probability": 0}, "......"),
]
"""Terms of a fault, and which of six requests it concerns."""
UNKNOWN_TASKS = {"rivya": "task_nobody", "acedata": "00000000-0000-4000-8000-000000000000"}
"""The id of a task that was never made."""


@dataclass(frozen=True)
class Request:
    """A request, as it is sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


def create(
    api: str, name: str = "", channel: str = "", *, headers: Any = None, **fields: Any
) -> Request:
    """A valid create that asks for the scenario `name` if its channel is one of requests."""
    body = CREATE_BODIES[api] | fields
    if channel == IN_PROMPT:
        body = body | {"prompt": f"{body['prompt']} mock:{name}"}
    path = "/api/v1/generations" if api == "rivya" else "/hailuo/videos"
    return _asked(("POST", path), api, name, channel, (headers, body))


def read(
    api: str, task_id: str, name: str = "", channel: str = "", *, headers: Any = None
) -> Request:
    """A read of a task."""
    if api == "rivya":
        path = f"/api/v1/generations/{task_id}"
        return _asked(("GET", path), api, name, channel, (headers, None))
    body = {"action": "retrieve", "id": task_id}
    return _asked(("POST", "/hailuo/tasks"), api, name, channel, (headers, body))


def get(path: str, name: str = "", channel: str = "", *, headers: Any = None) -> Request:
    """A GET with Rivya's key."""
    return _asked(("GET", path), "rivya", name, channel, (headers, None))


def _asked(
    where: tuple[str, str], api: str, name: str, channel: str, what: tuple[Any, Any]
) -> Request:
    """where: method and path. what: headers and a body of JSON."""
    (method, path), (more, body) = where, what
    key = f"{KEYS[api]}+{name}" if channel == IN_KEY else KEYS[api]
    headers = {"authorization": f"Bearer {key}"} | dict(more or {})
    if channel == HEADER:
        headers["mock-scenario"] = name
    elif channel == PREFER:
        headers["prefer"] = f"scenario={name}"
    if body is None:
        return Request(method, path, headers)
    headers["content-type"] = "application/json"
    return Request(method, path, headers, json.dumps(body).encode())


def send(mock: Mock, asked: Request) -> Answer:
    """The answer to a request that is answered at once."""
    return mock.request(asked.method, asked.path, headers=asked.headers, body=asked.body)


def on_faults(mock: Mock, method: str, path: str = "", body: Any = None) -> Answer:
    """A request to the faults of the default world."""
    headers = {} if body is None else {"content-type": "application/json"}
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return mock.request(method, FAULTS + path, headers=headers, body=raw)


def add_faults(mock: Mock, **rule: Any) -> list[Any]:
    """Add a rule or scenario through the control door; the faults that it makes."""
    answer = on_faults(mock, "POST", body=rule)
    assert answer.status == 201, answer.body
    faults: list[Any] = answer.json()["faults"]
    return faults


def task_id_of(document: Mapping[str, Any]) -> str:
    """The task's id in the answer to a create of either API."""
    found: str = document["id"] if "id" in document else document["task_id"]
    return found


def is_balanced(world: World) -> bool:
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


def sent(url: str, request: Request) -> socket.socket:
    """A connection to a server, on which the request has been sent. The server closes it."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port or 0), WAIT_S)
    headers = {"host": "127.0.0.1", "content-length": str(len(request.body))} | request.headers
    lines = [f"{request.method} {request.path} HTTP/1.1", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + request.body)
    return connection


def require_refused(answer: Answer, pointer: str, hint: str) -> None:
    """Fails unless the control door refuses a request at this place, with a hint."""
    assert answer.status == 400, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    (wrong, *_) = answer.json()["errors"]
    assert wrong["pointer"] == pointer
    assert hint in wrong["detail"]


@dataclass
class OpenRequest:
    """A request that may be answered later. Its client may hang up before."""

    mock: Mock
    asked: Request
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._has_sent = False
        self._gone = asyncio.Event()
        self._exchange = self.mock.start(self._run())
        self.settle()

    def settle(self) -> None:
        """Run the loop until nothing more can happen now."""
        for _ in range(20):
            self.mock.driver.loop.run_until_complete(asyncio.sleep(0))

    @property
    def is_open(self) -> bool:
        """Whether the request is still open."""
        self.settle()
        return not self._exchange.done()

    @property
    def has_begun(self) -> bool:
        """Whether any part of an answer has come."""
        return bool(self.messages)

    def hang_up(self) -> None:
        """Close the connection, and let the server handle it."""
        self._gone.set()
        self.settle()

    def answer(self) -> Answer:
        """The answer, which must be complete. Raises what the app raised."""
        assert not self.is_open
        self._exchange.result()
        started, *rest = self.messages
        return Answer(
            started["status"],
            {name.decode().lower(): value.decode() for name, value in started["headers"]},
            b"".join(message.get("body", b"") for message in rest),
        )

    def wait_for_threads(self) -> None:
        """Wait 0.2 s at most for threads that read or write."""
        self.mock.driver.loop.run_until_complete(asyncio.wait({self._exchange}, timeout=0.2))

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
    timekeeper = mock.fake.worlds["default"].timekeeper
    mock.driver.loop.run_until_complete(timekeeper.advance(round(seconds * 1000)))
