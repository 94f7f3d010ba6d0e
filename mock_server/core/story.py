"""The story of a task: all that happened to it, in order."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from mock_server.core.history_entries import (
    AttemptEnded,
    ClockMove,
    DeliveryMove,
    Entry,
    FaultChange,
    LedgerEntry,
    RequestEnded,
    StoryChange,
    TaskMove,
    request_entry,
)
from mock_server.core.lifecycle import TaskState
from mock_server.core.task_record import Looks, TaskFacts, TaskRecord
from mock_server.core.tasks import Task
from mock_server.core.twins import TwinEntry, twins_of
from mock_server.core.world import World


class LooksEntry(Entry, frozen=True, gc=False, tag="looks"):
    """All reads of a task, at the time of the first."""

    task: str
    looks: Looks


class NoDelivery(Entry, frozen=True, gc=False, tag="no_delivery"):
    """The task has ended, and its end has no delivery. fault: the one that left it out; None:
    the end has no receiver."""

    task: str
    fault: str | None = None
    scenario: str | None = None


StoryEntry: TypeAlias = StoryChange | LooksEntry | TwinEntry | NoDelivery

_ORDER = (
    RequestEnded,
    TwinEntry,
    FaultChange,
    LedgerEntry,
    TaskMove,
    DeliveryMove,
    NoDelivery,
    AttemptEnded,
    LooksEntry,
    ClockMove,
)
"""The order of entries with the same times: what causes others comes first. A move of the clock
comes after what happened at the time from which it moves."""


class Story(Struct, frozen=True):
    """The entries of a story, ordered by the world's time, then by the machine's.

    more: the number of requests, attempts and faults of the task that are not kept.
    clock_moves_evicted: the number of moves of the clock that are not kept, of all times.
    """

    entries: list[StoryEntry]
    more: int
    clock_moves_evicted: int


def story_of(world: World, task: Task) -> Story:
    """The story of a task up to now. Without a record, only what follows from the task itself."""
    record = world.history.records.get(task.id)
    facts = TaskFacts() if record is None else record.facts
    entries = [*_create(world, task, facts), *_credits(world, task, facts)]
    entries += _moves(world, task, facts)
    if record is not None:
        entries += record.events
        if (looks := record.looks) is not None:
            entries.append(LooksEntry(looks.first_ms, looks.first_wall_ms, task.id, looks))
        entries += _missing_delivery(world, task, record)
    known = {each.request for each in entries if isinstance(each, RequestEnded)}
    entries += [
        request_entry(each)
        for each in world.journal
        if each.ended_ms is None and each.task == task.id and each.id not in known
    ]
    until_ms = max(map(_last_ms, entries)) if _has_ended(world, task) else world.clock.now_ms()
    moves = world.history.clock_moves
    entries += [each for each in moves if task.created_ms <= each.to_ms and each.at_ms <= until_ms]
    entries += twins_of(world, task)
    entries.sort(key=lambda each: (each.at_ms, each.wall_ms or 0, _ORDER.index(type(each))))
    return Story(entries, 0 if record is None else record.more, moves.evicted)


def _create(world: World, task: Task, facts: TaskFacts) -> Iterator[StoryEntry]:
    """The request that made the task, if it is known."""
    if facts.request_number and facts.started_ms is not None:
        yield RequestEnded(
            facts.started_ms,
            facts.started_wall_ms,
            world.request_id(facts.request_number),
            "POST",
            "create",
            facts.status,
            facts.answered_ms,
            facts.answered_wall_ms,
            facts.ended_by,
            facts.sent_bytes,
            task.id,
        )


def _credits(world: World, task: Task, facts: TaskFacts) -> Iterator[StoryEntry]:
    """The movements of the task's price."""
    order, number = task.order, facts.request_number
    request = world.request_id(number) if number else None
    yield LedgerEntry(
        task.created_ms,
        facts.held_wall_ms,
        order.account,
        "held",
        order.price_credits,
        facts.held_available_credits,
        task.id,
        request,
    )
    if _has_ended(world, task):
        is_spent = _end_state(task) is TaskState.SUCCEEDED
        yield LedgerEntry(
            task.planned.ends_ms,
            facts.ended_wall_ms,
            order.account,
            "spent" if is_spent else "given_back",
            order.price_credits,
            facts.ended_available_credits,
            task.id,
        )


def _moves(world: World, task: Task, facts: TaskFacts) -> Iterator[StoryEntry]:
    """The states that the task has reached."""
    planned, now_ms = task.planned, world.clock.now_ms()
    yield TaskMove(task.created_ms, facts.held_wall_ms, task.id, TaskState.QUEUED)
    if planned.taken_up_ms <= now_ms and planned.taken_up_ms < planned.ends_ms:
        wall_ms = facts.taken_up_wall_ms
        yield TaskMove(planned.taken_up_ms, wall_ms, task.id, TaskState.PROCESSING)
    if _has_ended(world, task):
        by: Literal["time", "hand"] = "hand" if facts.was_ended_by_hand else "time"
        yield TaskMove(planned.ends_ms, facts.ended_wall_ms, task.id, _end_state(task), by)


def _missing_delivery(world: World, task: Task, record: TaskRecord) -> Iterator[NoDelivery]:
    """That the task has ended without a delivery, if all its events are kept."""
    events = record.events
    if not _has_ended(world, task) or record.more:
        return
    if any(isinstance(each, DeliveryMove) for each in events):
        return
    fault = next(
        (each for each in events if isinstance(each, FaultChange) and each.concerns == "delivery"),
        None,
    )
    yield NoDelivery(
        task.planned.ends_ms,
        record.facts.ended_wall_ms,
        task.id,
        None if fault is None else fault.fault,
        None if fault is None else fault.scenario,
    )


def _has_ended(world: World, task: Task) -> bool:
    return not world.ledger.holds(task.id)


def _end_state(task: Task) -> TaskState:
    return task.state_at(task.planned.ends_ms)


def _last_ms(entry: StoryEntry) -> int:
    """The last time that an entry contains."""
    if isinstance(entry, LooksEntry):
        return entry.looks.last_ms
    if isinstance(entry, RequestEnded | AttemptEnded):
        return entry.at_ms if entry.ended_ms is None else entry.ended_ms
    return entry.at_ms
