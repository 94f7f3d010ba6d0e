"""The story of a task, the movements of an account's credits, and what is new in a world."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace
from starlette.responses import Response

from mock_server.control import history_answers as shown
from mock_server.core.clock import ms_of
from mock_server.core.history_entries import Change, LedgerEntry
from mock_server.core.ledger import before_rows
from mock_server.core.refusals import Invalid, ShuttingDown
from mock_server.core.story import StoryEntry, story_of
from mock_server.core.world import World
from mock_server.door.accounts import account_name, balance_answer
from mock_server.door.history_entries import entry_answer, type_of
from mock_server.door.queries import Query
from mock_server.door.story_reasons import StoryReasons
from mock_server.door.tasks import task_of
from mock_server.door.worlds import slot_of, world_of
from mock_server.edge.call import Call
from mock_server.edge.long_answer import json_list
from mock_server.edge.problems import problem
from mock_server.simulation.timekeeper import Timekeeper

Moment = Annotated[datetime, Meta(tz=True)]
Limit = Annotated[int, Meta(ge=1, le=10_000)]


class StoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """since, until: only what was later than, and not later than these times of the world.
    limit: only the newest so many. type: only entries of this type."""

    since: Moment | None = None
    until: Moment | None = None
    limit: Limit | None = None
    type: shown.EntryType | None = None

    def __post_init__(self) -> None:
        for moment in (self.since, self.until):
            if moment is not None:
                ms_of(moment)

    def selects(self, entry: StoryEntry) -> bool:
        """Whether an entry is one of those that are asked for."""
        return (
            self.type in (None, type_of(entry))
            and (self.since is None or entry.at_ms > ms_of(self.since))
            and (self.until is None or entry.at_ms <= ms_of(self.until))
        )


class LedgerQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """since: only rows after the one with this number. until: only rows up to this time of the
    world. moved, task: only such rows. limit: only the newest so many."""

    since: Annotated[int, Meta(ge=0)] = 0
    until: Moment | None = None
    moved: shown.Moved | None = None
    task: str | None = None
    limit: Limit | None = None

    def __post_init__(self) -> None:
        if self.until is not None:
            ms_of(self.until)

    def selects(self, row: LedgerEntry) -> bool:
        """Whether a row is one of those that are asked for."""
        return (
            self.moved in (None, row.moved)
            and self.task in (None, row.task)
            and (self.until is None or row.at_ms <= ms_of(self.until))
        )


class ChangesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """since: the `cursor` of an earlier answer. type, task: only such changes.
    limit: the first so many. timeout_s: real seconds to wait if there is nothing new."""

    since: str | None = None
    type: shown.ChangeType | None = None
    task: str | None = None
    limit: Limit = 1000
    timeout_s: Annotated[float, Meta(ge=0, le=60)] = 0.0


STORY: Query[StoryQuery] = Query(StoryQuery)
LEDGER: Query[LedgerQuery] = Query(LedgerQuery)
CHANGES: Query[ChangesQuery] = Query(ChangesQuery)


async def get_story(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks/{task_id}/story: all that happened to a task, in order.
    Requests, credits, states, deliveries, moves of the clock and faults. Reads of the task are one
    entry. It is kept as long as the task, also without the requests in the journal."""
    world, task, asked = world_of(call), task_of(call), STORY.of(call)
    story = story_of(world, task)
    entries = [entry for entry in story.entries if asked.selects(entry)]
    whole = shown.Story(task.id, (), story.more, story.clock_moves_evicted)
    reasons = StoryReasons(world, task, story.entries)
    answers = (
        entry_answer(world, entry, why=reasons.why(entry), is_odd=reasons.is_odd(entry))
        for entry in entries[-(asked.limit or len(entries)) :]
    )
    return json_list(whole, "entries", answers)


async def get_ledger(call: Call) -> Response:
    """GET /_mock/worlds/{world}/accounts/{account}/ledger: every movement of its credits, in order.
    The balance before the first row, and the changes of all rows, add up to the balance."""
    world, account, asked = world_of(call), account_name(call), LEDGER.of(call)
    kept, balance = world.ledger.rows(account), replace(world.ledger.balance(account))
    rows = list(enumerate(kept.after(asked.since), start=max(asked.since, kept.evicted) + 1))
    selected = [(number, row) for number, row in rows if asked.selects(row)]
    selected = selected[-(asked.limit or len(selected)) :]
    is_filtered = (asked.until, asked.moved, asked.task) != (None, None, None)
    opening = before_rows(balance, (row for _, row in (rows if is_filtered else selected)))
    whole = shown.AccountLedger(
        account, balance_answer(opening), balance_answer(balance), (), kept.evicted
    )
    answers = (entry_answer(world, row, shown.LedgerRow, number=number) for number, row in selected)
    return json_list(whole, "rows", answers)


async def list_changes(call: Call) -> Response:
    """GET /_mock/worlds/{world}/changes: what happened after the cursor `since`, in order.
    Without `since` it is all that is kept. With `timeout_s` it waits until there is something new;
    if there is nothing, `changes` is empty. `missed` is the number of changes after the cursor that
    are no longer kept (limits.history_entries). A cursor is refused if the world was reset,
    restored or dropped after it was given. 503 if that happens during a wait."""
    call.body("body_bytes")
    slot, asked = slot_of(call), CHANGES.of(call)
    world = slot.world
    number = _number_of(world, asked.since)
    page = _page(world, number, asked)
    if page.is_empty and asked.timeout_s:
        waiting = asyncio.ensure_future(_next_page(slot.timekeeper, world, number, asked))
        try:
            page = await call.unless_disconnected(waiting)
        except ShuttingDown as gone:
            return problem(call, 503, str(gone))
    cursor = f"{world.incarnation}-{page.last}"
    whole = shown.Changes(cursor, page.missed, page.more, ())
    return json_list(whole, "changes", (entry_answer(world, each) for each in page.changes))


@dataclass(frozen=True, slots=True)
class _Page:
    """Changes after a number. last: the number of the last change that was looked at."""

    changes: list[Change]
    last: int
    missed: int
    more: bool

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.missed)


async def _next_page(
    timekeeper: Timekeeper, world: World, number: int, asked: ChangesQuery
) -> _Page:
    """The first page that is not empty, or an empty one when the time is over.
    Raises ShuttingDown if the world ends before."""
    try:
        async with asyncio.timeout(asked.timeout_s):
            while timekeeper.world is world:
                page = _page(world, number, asked)
                if not page.is_empty:
                    return page
                await timekeeper.next_change()
    except TimeoutError:
        return _page(world, number, asked)
    raise ShuttingDown("this world is gone")


def _page(world: World, number: int, asked: ChangesQuery) -> _Page:
    kept = world.history.changes
    missed, last = max(0, kept.evicted - number), max(kept.evicted, number)
    found: list[Change] = []
    for change in kept.after(number):
        if len(found) == asked.limit:
            return _Page(found, last, missed, more=True)
        last += 1
        is_asked = asked.task is None or getattr(change, "task", None) == asked.task
        if is_asked and asked.type in (None, type_of(change)):
            found.append(change)
    return _Page(found, last, missed, more=False)


def _number_of(world: World, cursor: str | None) -> int:
    """The number in a cursor; 0 without one. Refuses with Invalid a cursor that this world did not
    give."""
    if cursor is None:
        return 0
    incarnation, _, number = cursor.rpartition("-")
    is_number = number.isascii() and number.isdigit() and len(number) <= 15
    if not (is_number and incarnation):
        sentence = "is no cursor; take the `cursor` of an earlier answer, or leave it out"
        raise Invalid.at("/since", "cursor", sentence)
    if incarnation != world.incarnation or int(number) > world.history.changes.made:
        sentence = (
            "is a cursor of another world, or of this one before it was reset or restored; "
            "leave it out to begin again"
        )
        raise Invalid.at("/since", "cursor", sentence)
    return int(number)
