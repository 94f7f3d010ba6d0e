"""One day of a client: a server without a socket, a clock that the test moves, and the client's
requests. What happened is judged as the control door judges it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

import msgspec
from starlette.types import Message

from mock_server.control.judgement_answers import Judgement
from mock_server.core.journal import Journal
from mock_server.core.world import World
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from mock_server.verdict.catalogue import RULES
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.judging import judge_so_far
from mock_server.verdict.request_log import RequestLog
from tests.asgi import Driver, scope
from tests.mock import MINIMAL, START_MS, VIDEO, settings_of

JSON = {"content-type": "application/json"}
CREATE = {"operation": "create"}
LOOK = {"operation": "read"}
QUIET = "quiet"
"""The world of the quiet run."""


@dataclass(frozen=True)
class Got:
    """What the client got. status: None without an answer; body: as far as it came."""

    status: int | None
    body: bytes
    is_whole: bool
    retry_after: str | None = None

    @property
    def id(self) -> str:
        """The id of the task, if the answer has one."""
        document = json.loads(self.body)
        found: str = document["id"] if "id" in document else document["task_id"]
        return found


@dataclass(frozen=True)
class Held:
    """A request that waits for its answer."""

    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[Got]
    left: asyncio.Event

    def turn(self) -> None:
        """Let the server do what it can do now."""
        self.loop.run_until_complete(_turns())

    def leave(self) -> None:
        """Close the connection."""
        self.left.set()
        self.loop.run_until_complete(self.task)


class Day:
    """A server with two worlds: the client's, and one for its quiet run.

    wall_ms: the time of the machine. name: of the world that requests go to. connection: the number
    of the one that they come over.
    The journal has room for two requests, so that the others are judged from its archive."""

    def __init__(self, **changes: Any) -> None:
        self.wall_ms = START_MS
        small = {"clock__mode": "real", "limits__journal_exchanges": 2}
        settings = settings_of(**small | changes)
        self.fake = make_server(settings, lambda: self.wall_ms)
        self.driver = Driver(make_app(self.fake))
        self.name = "default"
        self.connection: int | None = None
        plan = {"name": QUIET, "clock": {"mode": settings.clock.mode, "scale": settings.time_scale}}
        self.keys = {"default": {"rivya": "rvya_sk_test", "acedata": "test-token"}}
        made = self.door("POST", "/_mock/worlds", plan)
        self.keys[QUIET] = {each["api"]: each["key"] for each in made["keys"]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.loop.run_until_complete(self.fake.close())
        self.driver.close()

    @property
    def world(self) -> World:
        return self.fake.world(self.name)

    def pass_s(self, seconds: float) -> None:
        """Let real time pass."""
        self.wall_ms += round(seconds * 1000)

    # --- what goes wrong --------------------------------------------------------------------

    def door(self, method: str, path: str, body: Any = None) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.driver.request(method, path, headers=JSON, body=raw)
        assert answer.status < 300, answer.body
        return answer.json()

    def fault(self, effect: Mapping[str, Any] | str, **terms: Any) -> None:
        """Add a fault, or a scenario by its name."""
        what = {"scenario": effect} if isinstance(effect, str) else {"effect": effect}
        self.door("POST", f"/_mock/worlds/{self.name}/faults", what | terms)

    # --- the client -------------------------------------------------------------------------

    def send(
        self, method: str, path: str, body: Any = None, *, leaves: bool = False, **how: Any
    ) -> Got:
        """One request. leaves: the client closes the connection if no answer comes soon."""
        begun = self._begin(method, path, body, **how)
        coming = _result(begun.task, begun.left if leaves else None)
        return self.driver.loop.run_until_complete(coming)

    def create(
        self, *, key: str | None = None, api: str = "rivya", leaves: bool = False, **fields: Any
    ) -> Got:
        """A create; key: the Idempotency-Key."""
        headers = {} if key is None else {"idempotency-key": key}
        path = "/api/v1/generations" if api == "rivya" else "/hailuo/videos"
        body = (MINIMAL if api == "rivya" else VIDEO | {"async": True}) | fields
        return self.send("POST", path, body, api=api, headers=headers, leaves=leaves)

    @contextmanager
    def held_create(self, *, key: str | None = None) -> Iterator[Held]:
        """A create that gets no answer; the client waits until `leave`."""
        headers = {} if key is None else {"idempotency-key": key}
        with self.held("POST", "/api/v1/generations", MINIMAL, headers=headers) as held:
            yield held

    @contextmanager
    def held_look(self, task_id: str) -> Iterator[Held]:
        """A look that gets no answer."""
        with self.held("GET", f"/api/v1/generations/{task_id}") as held:
            yield held

    @contextmanager
    def held(self, method: str, path: str, body: Any = None, **how: Any) -> Iterator[Held]:
        """A request that gets no answer; the client waits until `leave`, at the latest until the
        end of the block."""
        held = self._begin(method, path, body, **how)
        held.turn()
        yield held
        held.leave()

    def _begin(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        api: str = "rivya",
        headers: Mapping[str, str] | None = None,
    ) -> Held:
        key = self.keys[self.name].get(api)
        sent = {} if key is None else {"authorization": f"Bearer {key}"}
        raw = b"" if body is None else json.dumps(body).encode()
        sent |= {} if body is None else JSON
        leave = asyncio.Event()
        coming = self._exchange(method, path, sent | dict(headers or {}), raw, leave)
        return Held(self.driver.loop, self.driver.loop.create_task(coming), leave)

    def look(self, task_id: str, *, api: str = "rivya", leaves: bool = False) -> Got:
        """A look at a task."""
        if api == "rivya":
            return self.send("GET", f"/api/v1/generations/{task_id}", leaves=leaves)
        body = {"action": "retrieve", "id": task_id}
        return self.send("POST", "/hailuo/tasks", body, api=api, leaves=leaves)

    def look_on(self, task_id: str, times: int = 1) -> None:
        """Looks at a task, one every 5 s."""
        for _ in range(times):
            self.pass_s(5)
            self.look(task_id)

    def download(self, task_id: str, **headers: str) -> Got:
        """A download of a task's video, without a key."""
        return self.send(
            "GET", f"/media/{self.world.name}/{task_id}.mp4", api="none", headers=headers
        )

    def wait_and_fetch(self, task_id: str, *, api: str = "rivya", most: int = 10) -> None:
        """A right client: looks every 5 s until the end, then downloads the whole video."""
        for _ in range(most):
            self.pass_s(5)
            got = self.look(task_id, api=api)
            if got.status == 200 and b"succeeded" in got.body:
                self.download(task_id)
                return

    async def _exchange(
        self, method: str, path: str, sent: Mapping[str, str], body: bytes, leave: asyncio.Event
    ) -> Got:
        status: int | None = None
        headers: dict[bytes, bytes] = {}
        received = bytearray()
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if waiting:
                return waiting.pop(0)
            await leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            headers.update(message.get("headers", ()))
            received.extend(message.get("body", b""))

        begun = self.world.journal.opened
        try:
            await self.driver.app(scope(method, path, sent), receive, send)
        except ConnectionResetError:
            return Got(status, bytes(received), False)
        finally:
            for each in self.world.journal:
                if each.number == begun + 1:
                    each.connection = self.connection
        retry_after = headers.get(b"retry-after")
        asked = None if retry_after is None else retry_after.decode()
        return Got(status, bytes(received), not leave.is_set(), asked)

    # --- the judgement ----------------------------------------------------------------------

    def judge(self, *only: str, **asked: Any) -> Judgement:
        """The judgement of the client's world. `control=True`: compared with the quiet run."""
        if asked.pop("control", False):
            asked["control"] = QUIET
        run = asked.get("run")
        if run is not None:
            asked["run"] = {
                name: self.iso(value) if name.endswith("_at") else value
                for name, value in run.items()
            }
        answer = self.door("POST", "/_mock/worlds/default/judgement", asked | {"only": only})
        judgement = msgspec.convert(answer, Judgement)
        self._require_standing(judgement, asked, only)
        return judgement

    def _require_standing(
        self, judgement: Judgement, asked: Mapping[str, Any], only: Sequence[str]
    ) -> None:
        """Whatever was proved while the client went on is proved in the end."""
        if "restarted_at" in asked.get("run", {}):
            return  # on such days nothing is judged before the end
        control = (
            Evidence.of(self.fake.world(QUIET), self.fake.apis) if "control" in asked else None
        )
        whole = replace(
            Evidence.of(self.world, self.fake.apis),
            control=control,
            expected_jobs=asked.get("expected_jobs"),
        )
        if whole.not_kept:
            return
        codes = set(only or RULES).difference(asked.get("skip", ()))
        rules = [rule for code, rule in RULES.items() if code in codes]
        found = {each.code for each in judgement.findings}
        for earlier in _beginnings_of(whole):
            proved = {each.code for each in judge_so_far(earlier, rules).findings}
            assert proved <= found, f"proved before the end, and not in the end: {proved - found}"

    def iso(self, wall_ms: int) -> str:
        return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat()


def _beginnings_of(whole: Evidence) -> Iterator[Evidence]:
    """The evidence of a world as it was when each of its requests had ended."""
    ended = [each.exchange for each in whole.requests if not each.is_open]
    ended.sort(key=lambda each: (each.ended_ms, each.ended_wall_ms, each.number))
    for count, last in enumerate(ended, start=1):
        now_ms = last.ended_ms or 0
        yield replace(
            whole,
            log=RequestLog(Journal(max_exchanges=0, max_body_bytes=0)),
            under_way=ended[:count],
            tasks={name: each for name, each in whole.tasks.items() if each.created_ms <= now_ms},
            credits={
                name: [row for row in rows if row.at_ms <= now_ms]
                for name, rows in whole.credits.items()
            },
            deliveries=(),
            now_ms=now_ms,
            so_far=True,
        )


def quiet_run(day: Day, *, api: str = "rivya") -> None:
    """A right client orders one video in the quiet world, waits and fetches it."""
    day.name = QUIET
    day.wait_and_fetch(day.create(api=api).id, api=api)
    day.name = "default"


ENDED = {"ended_by": "itself", "exit_code": 0}
"""A run that ended by itself, and well."""


async def _result(task: asyncio.Task[Got], leave: asyncio.Event | None) -> Got:
    if leave is not None:
        await _turns()
        leave.set()
    return await task


async def _turns() -> None:
    for _ in range(200):
        await asyncio.sleep(0)
