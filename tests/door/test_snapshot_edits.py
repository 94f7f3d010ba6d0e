"""A snapshot with one changed value is refused with its place, or makes a valid world."""

from __future__ import annotations

import asyncio
import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from mock_server.core.lifecycle import TaskState
from mock_server.core.tasks import NEVER_MS
from mock_server.core.world import World
from mock_server.server.app import make_app
from tests import calls, rich_world
from tests.asgi import Answer, Driver
from tests.mock import KEY, MINIMAL, PNG, TOKEN, VIDEO, Mock, form
from tests.rich_world import JSON, WORLD

RIVYA = {"authorization": f"Bearer {KEY}"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}
FORM = {"content-type": "multipart/form-data; boundary=frontier"}
PATIENCE_S = 5
OPEN = (TaskState.QUEUED, TaskState.PROCESSING)
Path = tuple[str | int, ...]


def b64(text: bytes) -> str:
    return b64encode(text).decode()


DEEP: Any = []
for _ in range(100):
    DEEP = [DEEP]
ODD: list[Any] = [
    None, True, -1, 0, 1, 1.5, 10**15, 10**30, "", "x", '"\\\x00\r\n\x1b[31m', "../a/b", "5" * 5000,
    [], {}, [1], {"a": 1}, DEEP,
    "rivya", "acedata", "text/html", "queued", "pending", "succeeded", "failed", "rendered",
    "broke", "task_ends", "attempt_due", "fault_1", "x\n",
    b64(b"[" * 100_000), b64(b'{"a":' * 300 + b"1" + b"}" * 300), b64(b'{"a":\0}'),
    b64(b'{"prompt":5}'), b64(b'{"prompt":"x","params":[]}'), b64(b'{"a":1,"a":2}'),
    b64(b'{"prompt":"x","params":{"duration":"77"}}'), b64(b'{"a":' + b"1" * 5000 + b"}"),
]  # fmt: skip
"""Values of every type, and such as stand elsewhere in a snapshot."""


@dataclass(frozen=True)
class Edit:
    """One change to a document. how: `set` to `value`, `drop`, or `repeat` an item of a list."""

    path: Path
    how: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.how} /{'/'.join(map(str, self.path))} {repr(self.value)[:40]}"

    def made_in(self, document: bytes) -> bytes:
        """The document with this change, written as a server writes it."""
        edited = json.loads(document)
        owner = edited
        for step in self.path[:-1]:
            owner = owner[step]
        if self.how == "set":
            owner[self.path[-1]] = self.value
        elif self.how == "drop":
            del owner[self.path[-1]]
        else:
            owner.insert(self.path[-1], deepcopy(owner[self.path[-1]]))
        canonical = json.dumps(edited, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return canonical.encode()


def places(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if path:
        yield path, node
    for step, child in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(child, dict | list):
            yield from places(child, (*path, step))
        else:
            yield (*path, step), child


def edits_of(document: Any) -> Iterator[Edit]:
    """Every change there is; of requests in the journal, which are many and alike, of the first."""
    for path, value in places(document):
        if path[:2] == ("journal", "exchanges") and path[2:3] not in {(), (0,)}:
            continue
        values = list(ODD)
        if isinstance(value, int):
            values += [value - 1, value + 1, value * 2, value + 3_600_000, -value]
        for odd in values:
            yield Edit(path, "set", odd)
        yield Edit(path, "drop")
        if isinstance(path[-1], int):
            yield Edit(path, "repeat")


class Faulty(Exception):
    """A fault of the edited world changed an answer."""


class Server:
    """Puts documents into a world, and reads everything in it."""

    def __init__(self, mock: Mock) -> None:
        self.fake = mock.fake
        self.loop = mock.driver.loop
        self._driver = Driver.__new__(Driver)  # without the contract's judgement of answers
        self._driver.app, self._driver.loop = make_app(mock.fake), mock.driver.loop

    @property
    def world(self) -> World:
        return self.fake.world()

    def ask(self, method: str, path: str, headers: Any = None, body: Any = b"") -> Answer:
        """An answer without an internal error. Raises Faulty if a fault is the reason for one."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = dict(headers or {}) | ({} if isinstance(body, bytes) else JSON)
        asking = self._driver.exchange(method, path, headers=headers, chunks=[raw])
        try:
            answer = self.loop.run_until_complete(asyncio.wait_for(asking, PATIENCE_S))
        except (TimeoutError, ConnectionResetError):
            assert self._is_faulty(path), f"{method} {path} has no answer"
            raise Faulty from None
        if answer.status >= 500:
            assert self._is_faulty(path), f"{method} {path}: {answer.status} {answer.body!r}"
            raise Faulty
        return answer

    def _is_faulty(self, path: str) -> bool:
        newest = self.world.journal.newest(1)
        return "/_mock/" not in path and bool(newest) and bool(newest[0].faults)

    def put(self, document: bytes, world: str = "default") -> Answer:
        path = f"/_mock/worlds/{world}/snapshot"
        return self.ask("PUT", path, JSON, document)

    def look(self) -> None:
        """Read everything."""
        world = self.world
        for path in (
            "", "/tasks", "/deliveries", "/requests", "/requests?format=har",
            "/requests?format=ndjson", "/faults", "/accounts", "/clock", "/wait?timeout_s=0",
            "/wait?timeout_s=0&delivery=ended",
        ):  # fmt: skip
            self.ask("GET", WORLD + path)
        self.ask("GET", "/_mock/worlds")
        for exchange in list(world.journal)[:2]:
            self.ask("GET", f"/_mock/explain/{_in_path(exchange.id)}")
        for inbox in list(world.inboxes):
            self.ask("GET", f"{WORLD}/inbox/{_in_path(inbox.name)}")
        for task in list(world.tasks):
            self.ask("GET", f"/media/default/{_in_path(task.id)}.mp4")
            self.ask("GET", f"/w/default/api/v1/generations/{_in_path(task.id)}", RIVYA)
            asked = {"action": "retrieve", "id": task.id}
            self.ask("POST", "/w/default/hailuo/tasks", ACEDATA, asked)
        for path in ("credits", "webhooks", "webhook-events"):
            self.ask("GET", f"/w/default/api/v1/{path}", RIVYA)
        for endpoint in list(world.endpoints):
            path = f"/w/default/api/v1/webhooks/{_in_path(endpoint.id)}/deliveries"
            self.ask("GET", path, RIVYA)
        for file in list(world.uploads):
            self.ask("GET", f"/w/default/api/v1/files/{_in_path(file.id)}", RIVYA)
            answer = self.ask("GET", f"/media/default/files/{_in_path(file.id)}/{file.name}")
            if answer.status == 200:
                assert answer.headers["content-type"] in ("image/png", "image/jpeg")
                assert answer.headers["content-security-policy"] == "sandbox"

    def use(self) -> None:
        """Make something new of every kind; nothing old is replaced."""
        world = self.world
        kept: list[Any] = [world.tasks, world.tasks, world.uploads, world.endpoints]
        hook = {"url": "https://hooks.test/new", "event_types": ["generation.succeeded"]}
        file = form({"kind": "image"}, {"file": ("new.png", PNG)})
        asked: list[tuple[str, Any, Any]] = [
            ("api/v1/generations", RIVYA, MINIMAL),
            ("hailuo/videos", ACEDATA, VIDEO | {"async": True}),
            ("api/v1/files", RIVYA | FORM, file),
            ("api/v1/webhooks", RIVYA, hook),
        ]
        for known, (path, headers, body) in zip(kept, asked, strict=True):
            before = len(known)
            answer = self.ask("POST", f"/w/default/{path}", headers, body)
            assert len(known) == before + (answer.status == 200)
        rule = {"effect": {"type": "task", "stuck": True}, "skip": 100}
        before = len(world.faults)
        self.ask("POST", f"{WORLD}/faults", body=rule)
        assert len(world.faults) == before + 1

    def advance(self, how: Any) -> None:
        assert self.ask("POST", f"{WORLD}/clock/advance", body=how).status == 200

    def keep_laws(self) -> None:
        """Nothing is lost or made; tasks and deliveries are what their records say."""
        world = self.world
        assert calls.is_balanced(world)
        spent: Counter[str] = Counter()
        for task in world.tasks:
            state = world.state_of(task)
            assert (state in OPEN) == world.ledger.holds(task.id)
            if state is TaskState.SUCCEEDED:
                spent[task.order.account] += task.order.price_credits
        for account in world.ledger.accounts:
            assert world.ledger.balance(account).spent_credits == spent[account]
        for delivery in world.deliveries:
            assert True not in [attempt.was_accepted for attempt in delivery.attempts[:-1]]

    def be_idle(self) -> None:
        """Advance until nothing is due. Then no task or delivery may be pending without a cause."""
        world = self.world
        self.advance({"until": "idle"})
        for task in world.tasks:
            assert world.ledger.holds(task.id) == (task.planned.ends_ms == NEVER_MS)
        held_back = {each.id for waiting in world.dispatch.held_back.values() for each in waiting}
        for delivery in world.deliveries:
            assert delivery.state.value != "pending" or delivery.id in held_back


def _in_path(name: str) -> str:
    return name.replace("/", "_").replace("?", "%3F")


@pytest.fixture
def server(make_mock: Any) -> Server:
    mock = make_mock(**rich_world.SETTINGS)
    rich_world.live_in(mock)
    server = Server(mock)
    assert server.ask("POST", "/_mock/worlds", body={"name": "other"}).status == 201
    return server


def try_out(server: Server, document: bytes) -> str:
    """The result of a document: `refused`, `sound`, or `faulty` if a fault changed an answer."""
    answer = server.put(document)
    if answer.status == 400:
        assert all(each["detail"] and "pointer" in each for each in answer.json()["errors"])
        assert answer.json()["errors"]
        return "refused"
    assert answer.status == 200
    try:
        server.look()
        server.advance({"seconds": 0})
        server.keep_laws()
        server.use()
        server.advance({"seconds": 5})
        server.keep_laws()
        taken = server.ask("GET", f"{WORLD}/snapshot").body
        assert server.put(taken, "other").status == 200
        assert server.ask("GET", "/_mock/worlds/other/snapshot").body == taken
        server.be_idle()
        server.keep_laws()
        server.look()
    except Faulty:
        return "faulty"
    return "sound"


def chosen(edits: list[Edit], count: int, seed: int) -> list[Edit]:
    """So many of them, each place of a document about as often."""
    chance = random.Random(seed)
    chance.shuffle(edits)
    turns: Counter[Path] = Counter()
    placed = []
    for edit in edits:
        shape = tuple("*" if isinstance(step, int) else step for step in edit.path)
        turns[shape] += 1
        placed.append((turns[shape], edit))
    return [edit for _, edit in sorted(placed, key=lambda each: each[0])[:count]]


def test_every_edited_snapshot_is_refused_or_sound(server: Server) -> None:
    document = server.ask("GET", f"{WORLD}/snapshot").body
    came: Counter[str] = Counter()
    for edit in chosen(list(edits_of(json.loads(document))), 200, seed=10):
        try:
            came[try_out(server, edit.made_in(document))] += 1
        except AssertionError as broken:
            pytest.fail(f"{edit}: {broken}")
    assert came["refused"] > 130
    assert came["sound"] > 25
    assert came["faulty"] < 10
