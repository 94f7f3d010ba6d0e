"""One run of the client: in the world of a day, to its end or to the time limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from msgspec import Struct

from mock_server.apis.api import VendorApi
from mock_server.control import AsyncControl, AsyncWorld, ControlError
from mock_server.core.chance import Chance
from mock_server.judge.days import Day
from mock_server.judge.environment import FOLDER, RunValues, Variables, environment_of
from mock_server.judge.fake import add_faults, key_of, make_webhook, make_world
from mock_server.judge.program import Program, Spawn, execute
from mock_server.judge.receiver_port import with_free_port
from mock_server.judge.refusing_proxy import RefusingProxy
from mock_server.judge.watch import until_settled
from mock_server.simulation.wall_clock import wall_ms

T = TypeVar("T")

_BEFORE_RESTART_S = 1.0
"""Real seconds in which a client can write down the task that it has just been told of."""
_TO_GO_ON_S = 1.5
"""Real seconds in which a client that looks at its task does so."""
_EFFECT_COUNT_S = 10.0
_LONGEST_WAIT_S = 60.0


class Effects(Struct, frozen=True):
    """How often the client had acted at a time."""

    at: datetime
    count: int


class HowItRan(Struct, frozen=True):
    """How a run of the client ended, as the door takes it. exit_code: None if the judge ended it.
    limit_s: None: it says nothing about the client that it still ran at its limit."""

    started_at: datetime
    ended_at: datetime
    exit_code: int | None
    ended_by: Literal["itself", "judge"]
    limit_s: float | None
    restarted_at: datetime | None

    @property
    def took_s(self) -> float:
        """The real seconds from its start to its end."""
        return (self.ended_at - self.started_at).total_seconds()


class DayRun(Struct, frozen=True):
    """A run and what was seen of it. called: whether it called the API. hosts: those it asked the
    proxy for. values: those of its variables."""

    day: Day
    world: AsyncWorld
    how: HowItRan
    called: bool
    hosts: tuple[str, ...]
    last_output: str
    effects: tuple[Effects, ...]
    values: RunValues


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all runs of one judgement have in common.

    user: the environment of the user. passed: names of his variables that the client gets, too.
    callback: the URL of the client's receiver; port 0: a free one for each run. limit_s: None: the
    limit of each day. note_secret: is told every secret. spawn: starts the client.
    ports: those that runs were given.
    """

    control: AsyncControl
    api: VendorApi
    command: tuple[str, ...]
    variables: Variables
    user: Mapping[str, str]
    passed: tuple[str, ...]
    callback: str | None
    effect_count: str | None
    limit_s: float | None
    folder: Path
    note_secret: Callable[[str], None]
    spawn: Spawn = execute
    ports: set[int] = field(default_factory=set)


async def run_day(
    day: Day, bench: Bench, beside: Callable[[AsyncWorld], Coroutine[Any, Any, None]]
) -> DayRun:
    """Run the client once. beside: goes on while the client runs; it is cancelled then.
    Raises CannotRun, ControlError and httpx2.HTTPError."""
    world = await make_world(bench.control, day)
    async with RefusingProxy().serving() as proxy:
        values = await _values(day, world, bench, proxy.url)
        await add_faults(world, day)
        environment = environment_of(bench.user, bench.variables, values, bench.passed)
        run = _Run(day, world, bench, environment)
        try:
            async with _going_on(beside(world)):
                how = await run.to_its_end()
        finally:
            await run.kill()
        called = bool((await world.journal(limit=1, api=bench.api.name)).requests)
        return DayRun(
            day,
            world,
            how,
            called,
            tuple(proxy.hosts),
            run.last_output,
            tuple(run.effects),
            values,
        )


@dataclass
class _Run:
    """The state of one run: its program, which may be replaced by a second one."""

    day: Day
    world: AsyncWorld
    bench: Bench
    environment: Mapping[str, str]
    program: Program | None = None
    last_output: str = ""
    restarted_at: datetime | None = None
    effects: list[Effects] = field(default_factory=list)

    async def to_its_end(self) -> HowItRan:
        """Start the client, and wait until it ends, nothing more is to come, or time is up."""
        await self.count_effects()
        started_at = _now()
        program = await self._start()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.bench.limit_s or self.day.limit_s):
                if self.day.restarts is not None:
                    program = await self._restarted(program)
                await self._until_over(program)
        exit_code, ended_at = program.exit_code, _now()
        await program.end()
        self.last_output = program.last_output
        await self.count_effects()
        return HowItRan(
            started_at,
            ended_at,
            exit_code,
            "judge" if exit_code is None else "itself",
            self.bench.limit_s or (self.day.limit_s if self.day.limit_counts else None),
            self.restarted_at,
        )

    async def kill(self) -> None:
        """End the program at once, if it still runs."""
        if self.program is not None:
            await self.program.kill()

    async def count_effects(self) -> None:
        """Add how often the client has acted, if the user's command prints that."""
        if self.bench.effect_count is None:
            return
        count = await _printed_number(self.bench.effect_count, self.environment)
        if count is not None:
            self.effects.append(Effects(_now(), count))

    async def _start(self) -> Program:
        bench = self.bench
        self.program = await Program.start(bench.command, self.environment, FOLDER, bench.spawn)
        return self.program

    async def _restarted(self, program: Program) -> Program:
        """Kill the program when its moment has come, and start it again; the one that runs now."""
        moment = {"after_create": self._create_answered, "after_delivery": self._event_taken}
        if not await _first(moment[self.day.restarts or "after_create"](), program):
            return program
        await program.kill()
        await self.count_effects()
        self.restarted_at = _now()
        return await self._start()

    async def _until_over(self, program: Program) -> None:
        """Wait until the program has ended, or nothing more is to come."""
        if self.bench.callback is None:
            await program.wait()
            return
        day, count = self.day, self.count_effects
        settled = until_settled(self.world, count, again=day.again, forever=not day.settles)
        await _first(settled, program)

    async def _create_answered(self) -> None:
        """Return a while after the client was told of a task."""
        after = None
        while True:
            exchange = await _happened(
                partial(
                    self.world.wait_for_request,
                    operation="create",
                    after=after,
                    timeout_s=_LONGEST_WAIT_S,
                )
            )
            if exchange.task is not None and (exchange.status or 500) < 300:
                # Its next request shows that it has read the answer, on a busy machine too.
                with contextlib.suppress(ControlError):
                    await self.world.wait_for_request(after=exchange.id, timeout_s=_TO_GO_ON_S)
                await asyncio.sleep(_BEFORE_RESTART_S)
                return
            after = exchange.id

    async def _event_taken(self) -> None:
        """Return when the client has answered 2xx to an event."""
        await _happened(
            lambda: self.world.wait_for_delivery(outcome="succeeded", timeout_s=_LONGEST_WAIT_S)
        )


@contextlib.asynccontextmanager
async def _going_on(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Does work during the block, and raises what it raised."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _happened(wait: Callable[[], Awaitable[T]]) -> T:
    """The result of a wait of the control door, however long it takes."""
    while True:
        try:
            return await wait()
        except ControlError as error:
            if error.status != 408:
                raise


async def _first(work: Coroutine[Any, Any, None], program: Program) -> bool:
    """Whether the work was done before the program ended; it is cancelled if not."""
    working, ending = asyncio.create_task(work), asyncio.create_task(program.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return working.done()
    finally:
        for task in (working, ending):
            task.cancel()
        await asyncio.gather(working, ending, return_exceptions=True)


async def _values(day: Day, world: AsyncWorld, bench: Bench, proxy: str) -> RunValues:
    """The values of the client's variables; makes the folders and the webhook."""
    folders = {name: bench.folder / world.name / name for name in ("state", "tmp")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    own = None if bench.callback is None else with_free_port(bench.callback, bench.ports)
    callback, key = own or world.inbox("client").url, key_of(world, bench.api)
    calls = bench.api.webhook_calls
    if calls is None:
        secret = Chance(world.seed).random_bytes("callback secret", world.name).hex()
    else:
        secret = await make_webhook(world, calls, key, callback, rotated=day.rotated)
    for each in (key, secret):
        bench.note_secret(each)
    return RunValues(
        url=world.plain_url,
        key=key,
        secret=secret,
        callback=callback,
        dir=str(folders["state"]),
        temporary=str(folders["tmp"]),
        proxy=proxy,
    )


async def _printed_number(command: str, environment: Mapping[str, str]) -> int | None:
    """The whole number that a shell command prints; None if it prints anything else."""
    # Its folder differs from the client's, because processes are ended by their folder.
    folder = Path(environment[FOLDER]).with_name("count")
    folder.mkdir(exist_ok=True)
    shell = ["/bin/sh", "-c", command]
    program = await Program.start(shell, {**environment, FOLDER: str(folder)}, FOLDER)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(program.wait(), _EFFECT_COUNT_S)
    finally:
        await program.end()
    printed = program.last_output.strip()
    return int(printed) if program.exit_code == 0 and printed.isdecimal() else None


def _now() -> datetime:
    return datetime.fromtimestamp(wall_ms() / 1000, UTC)
