"""Runs the client on each day and has every run judged; the quiet day first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import asdict

from mock_server.control import AsyncWorld
from mock_server.control.judgement_answers import Finding, Judgement
from mock_server.judge.day_run import Bench, DayRun, run_day
from mock_server.judge.days import Day
from mock_server.judge.refusal import CannotRun

_SHOWN_STRANGERS = 5
PAUSE_S = 1.0
PAUSES_PER_WORK = 50
"""The pause after a judgement while the client runs is so many times longer than that took."""
CHANGES_READ = 100
"""The changes that are read before a judgement. If there are more, there is a next judgement."""
_LONGEST_WAIT_S = 60.0


class NeverCalled(Exception):
    """The client did not call the API with its key on the quiet day. run: how it ran.
    others: its requests that the API has no path for. strangers: requests without this key."""

    def __init__(self, run: DayRun, others: Sequence[str], strangers: Sequence[str]) -> None:
        super().__init__()
        self.run = run
        self.others = others
        self.strangers = strangers


class Terms(Struct, frozen=True):
    """What the judgement of each run is told. only, skip: codes."""

    expected_jobs: int | None
    only: tuple[str, ...]
    skip: tuple[str, ...]


class JudgedRun(Struct, frozen=True):
    """A run with its judgement."""

    run: DayRun
    judgement: Judgement


async def judge_days(
    days: Sequence[Day],
    bench: Bench,
    terms: Terms,
    *,
    jobs: int,
    on_judged: Callable[[JudgedRun], None],
    on_proved: Callable[[Day, Finding], None] | None = None,
) -> list[JudgedRun]:
    """Judge the client on these days, of which the first is the quiet one.
    jobs: how many run at the same time. on_judged: called after each run. on_proved: called while
    a client runs, with each finding that stands whatever it does later; None: a run is judged only
    at its end.
    Raises NeverCalled, CannotRun, and as `run_day` does."""
    quiet_day, *others = days
    quiet = await run_day(
        quiet_day, bench, partial(_tell_proved, quiet_day, None, terms, on_proved)
    )
    if not quiet.called:
        # Requests without a key of a world are in the default one; no other program uses it.
        worlds = (quiet.world, await bench.control.find())
        shown = [(await each.journal(limit=_SHOWN_STRANGERS)).requests for each in worlds]
        raise NeverCalled(quiet, *(list(map(str, each)) for each in shown))
    if bench.effect_count is not None and not quiet.effects:
        raise CannotRun("--effect-count must print one whole number, 0 if nothing was done yet")
    # The world stays: the others are compared with it.
    first = await _judged(quiet, None, terms)
    on_judged(first)
    turns = asyncio.Semaphore(jobs)

    async def one(day: Day) -> JudgedRun:
        async with turns:
            beside = partial(_tell_proved, day, quiet.world.name, terms, on_proved)
            run = await run_day(day, bench, beside)
            judged = await _judged(run, quiet.world.name, terms)
            await run.world.drop()
        on_judged(judged)
        return judged

    try:
        async with asyncio.TaskGroup() as group:
            # The longest first, so that none is left over at the end.
            longest_first = sorted(others, key=lambda day: -day.limit_s)
            running = {day.name: group.create_task(one(day)) for day in longest_first}
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [first, *(running[day.name].result() for day in others)]


async def _tell_proved(
    day: Day,
    quiet: str | None,
    terms: Terms,
    tell: Callable[[Day, Finding], None] | None,
    world: AsyncWorld,
) -> None:
    """Tell what is proved and stands while the client runs, for ever: judge when something has
    happened, with a pause after each judgement. Nothing on days on which the client is killed: what
    was under way then is no mistake, and its time is not known before."""
    loop, cursor = asyncio.get_running_loop(), None
    while tell is not None and day.restarts is None:
        happened = await world.changes(cursor, limit=CHANGES_READ, timeout_s=_LONGEST_WAIT_S)
        cursor = happened.cursor
        if not (happened.changes or happened.missed):
            continue
        began_s = loop.time()
        judgement = await world.judge(control=quiet, so_far=True, **asdict(terms))
        for each in judgement.findings:
            tell(day, each)
        await asyncio.sleep(max(PAUSE_S, PAUSES_PER_WORK * (loop.time() - began_s)))


async def _judged(run: DayRun, quiet: str | None, terms: Terms) -> JudgedRun:
    judgement = await run.world.judge(
        control=quiet, run=run.how, effects=run.effects, **asdict(terms)
    )
    return JudgedRun(run, judgement)
