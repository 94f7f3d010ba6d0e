"""What the tests of AceData's API share: how it says no, callers who wait, and a callback's way."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest
from starlette.types import Message

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.deliveries import Delivery
from mock_server.core.delivery_faults import SOUND
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.simulation.timekeeper import Timekeeper
from tests.asgi import Answer, scope
from tests.mock import TOKEN, VIDEO, Mock

STATUS_OF: dict[str, int] = {
    row["const"]: row["x-status"]
    for row in json.loads((SCHEMAS / "acedata/error-codes.json").read_text("utf-8"))["anyOf"]
    if "const" in row
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
IMAGE_URL = "https://cdn.example.com/first.png"
CALLBACK_URL = "http://127.0.0.1:9/callback"
LONGEST_TEST_S = 60
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
    """An account's credits, by where they are."""
    return asdict(mock.world.ledger.balance(name))


def traces(mock: Mock) -> tuple[object, ...]:
    """Everything a refused request must leave as it was."""
    return (balance(mock), len(mock.world.tasks))


def members(node: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object in a JSON value, with its value."""
    if isinstance(node, dict):
        yield from node.items()
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from members(child)


@dataclass
class Caller:
    """A caller who waits for the answer of a held-open request, and may hang up before."""

    mock: Mock
    body: Mapping[str, Any]
    token: str = TOKEN
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = False
        self._gone = asyncio.Event()
        sent = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        self._call = self.mock.driver.loop.create_task(
            self._run(scope("POST", "/hailuo/videos", sent))
        )
        self.breathe()

    def breathe(self) -> None:
        """Let everything that can happen now happen."""
        for _ in range(20):
            self.mock.driver.loop.run_until_complete(asyncio.sleep(0))

    @property
    def waits(self) -> bool:
        """Whether the request is still open."""
        return not self._call.done()

    def hang_up(self) -> None:
        """Close the connection, and let the server notice."""
        self._gone.set()
        self.breathe()

    def answer(self) -> Answer:
        """The answer, which must have come."""
        self.breathe()
        assert not self.waits
        self._call.result()
        started, *rest = self.messages
        return Answer(
            started["status"],
            {name.decode(): value.decode() for name, value in started["headers"]},
            b"".join(message.get("body", b"") for message in rest),
        )

    def drop(self) -> None:
        """End the request if it is still open, so that nothing is left waiting."""
        self._call.cancel()
        self.breathe()

    async def _run(self, asgi_scope: dict[str, Any]) -> None:
        await self.mock.app(asgi_scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self.asked:
            self.asked = True
            raw = json.dumps(self.body).encode()
            return {"type": "http.request", "body": raw, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.messages.append(message)


def let_due_things_happen(mock: Mock) -> None:
    """Any other request brings a frozen world up to date."""
    assert mock.request("GET", "/_mock/health").status == 200


class NotedOutbox:
    """Notes each callback instead of sending it."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self.posts: list[tuple[str, Any]] = []

    def task_ended(self, world: World, task: Task) -> None:
        for owed in self._callbacks.owed(world, task, SOUND):
            world.owe(owed)

    def attempt_due(self, world: World, delivery: Delivery, on_end: Callable[[], None]) -> None:
        self.posts.append((delivery.url, json.loads(delivery.event.body)))


def note_callbacks(mock: Mock) -> NotedOutbox:
    """Let the fake hand its callbacks to the test instead of a sender."""
    outbox = NotedOutbox(Callbacks(mock.fake.settings.acedata))
    keep_time_with(mock, Timekeeper(mock.world, outbox))
    return outbox


def keep_time_with(mock: Mock, timekeeper: Timekeeper) -> None:
    """Let the fake use a timekeeper of the test's own."""
    mock.fake.worlds["default"].timekeeper = timekeeper


@pytest.fixture(autouse=True)
def nobody_waits_for_ever() -> Iterator[None]:
    """A request that is held by mistake would wait for a clock that stands still."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_: object) -> None:
        raise TimeoutError("held open, and nobody moved the clock")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST_TEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def hold(make_mock: Any) -> Iterator[Callable[..., Caller]]:
    """Makes callers who wait; whoever still waits at the end is sent home."""
    callers: list[Caller] = []

    def wait(mock: Mock, body: Mapping[str, Any] = VIDEO, **facts: Any) -> Caller:
        callers.append(Caller(mock, body, **facts))
        return callers[-1]

    yield wait
    for caller in callers:
        caller.drop()
