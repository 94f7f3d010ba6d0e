"""The history of a world: its laws hold after any steps."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from mock_server.core.history_entries import (
    AttemptEnded,
    FaultChange,
    LedgerEntry,
    RequestEnded,
    TaskMove,
)
from mock_server.core.journal import EndedBy
from mock_server.core.ledger import Balance, before_rows
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.ring import Ring
from mock_server.core.story import LooksEntry, Story, story_of
from mock_server.core.task_record import MOST_EVENTS, TaskRecord
from mock_server.core.world import World
from tests.core.test_snapshot import HERE, STEPS, Step, done, make, moved, order

LISTS = st.lists(STEPS, max_size=60)


def stories(world: World) -> list[Story]:
    return [story_of(world, task) for task in world.tasks]


def world_after(steps: list[Step], **rules: int) -> World:
    world = make()
    if rules:
        world = moved_with(world, **rules)
    done(steps, world, HERE)
    world.catch_up()
    return world


def moved_with(world: World, **rules: int) -> World:
    """A new world like this one, with other rules."""
    other = World("here", 7, world.clock, changed(world.rules, **rules), world.keys)
    for account in world.ledger.accounts:
        other.ledger.grant(account, world.ledger.balance(account).available_credits)
    return other


# --- credits ----------------------------------------------------------------------------------


@settings(max_examples=300)
@given(LISTS)
def test_the_rows_of_every_account_add_up_to_its_balance(steps: list[Step]) -> None:
    world = world_after(steps)
    for account in world.ledger.accounts:
        balance, rows = world.ledger.balance(account), list(world.ledger.rows(account))
        assert before_rows(balance, rows) == Balance()
        assert sum(row.change_credits for row in rows) == balance.available_credits
        available = 0
        for row in rows:
            available += row.change_credits
            assert row.available_credits == available
        held = Counter(row.task for row in rows if row.moved == "held")
        ended = Counter(row.task for row in rows if row.moved in {"spent", "given_back"})
        assert set(held.values()) | set(ended.values()) <= {1}
        assert ended.keys() <= held.keys()


@settings(max_examples=100)
@given(LISTS, st.integers(1, 5))
def test_kept_rows_add_up_from_the_balance_before_them(steps: list[Step], kept: int) -> None:
    every, few = world_after(steps), world_after(steps, history_entries=kept)
    for account in every.ledger.accounts:
        rows = list(every.ledger.rows(account))
        left = few.ledger.rows(account)
        assert list(left) == rows[-kept:]
        assert left.evicted == len(rows) - len(left)
        before = before_rows(few.ledger.balance(account), left)
        assert before == before_rows(every.ledger.balance(account), rows[-kept:])


# --- stories ----------------------------------------------------------------------------------


@settings(max_examples=300)
@given(LISTS)
def test_each_story_holds_its_price_once_and_ends_at_most_once(steps: list[Step]) -> None:
    world = world_after(steps)
    for task, story in zip(world.tasks, stories(world), strict=True):
        moves = Counter(each.moved for each in story.entries if isinstance(each, LedgerEntry))
        assert moves["held"] == 1
        has_ended = not world.ledger.holds(task.id)
        assert moves["spent"] + moves["given_back"] == has_ended
        times = [each.at_ms for each in story.entries]
        assert times == sorted(times)
        states = [each.state for each in story.entries if isinstance(each, TaskMove)]
        assert states[0] == "queued"
        assert len(states) == len(set(states))
        assert states[-1] == world.state_of(task)


@settings(max_examples=200)
@given(LISTS)
def test_a_story_does_not_depend_on_what_the_lists_still_keep(steps: list[Step]) -> None:
    """Except moves of the clock, which are counted."""
    every = world_after(steps, journal_exchanges=1000, kept_deliveries=1000)
    few = world_after(steps, journal_exchanges=1, kept_deliveries=1, history_entries=1)
    assert list(map(without_clock, stories(every))) == list(map(without_clock, stories(few)))
    evicted = {story.clock_moves_evicted for story in stories(few)}
    assert evicted <= {max(0, len(every.history.clock_moves) - 1)}


def without_clock(story: Story) -> Any:
    told: list[Any] = msgspec.to_builtins(story.entries)
    return [each for each in told if each["type"] != "clock"], story.more


@settings(max_examples=200)
@given(LISTS)
def test_a_restored_world_tells_the_same_stories(steps: list[Step]) -> None:
    world = world_after(steps)
    again = moved(world, HERE)
    under_way = any(each.ended_ms is None for each in world.journal)
    assert under_way or stories(again) == stories(world)
    for account in world.ledger.accounts:
        assert list(again.ledger.rows(account)) == list(world.ledger.rows(account))


def test_a_reset_world_has_no_history() -> None:
    world = world_after([])
    assert [len(world.history.records), len(world.history.clock_moves)] == [0, 0]
    assert {row.moved for row in world.ledger.rows("ada")} == {"granted"}


def test_a_task_that_is_finished_by_hand_says_so() -> None:
    world = make()
    task = world.submit(order(HERE))
    ended = world.finish(task, TaskEvent.BROKE)
    world.catch_up()
    moves = [each for each in story_of(world, ended).entries if isinstance(each, TaskMove)]
    assert [(each.state, each.by) for each in moves] == [("queued", "time"), ("failed", "hand")]


def test_a_story_without_a_record_has_what_follows_from_the_task() -> None:
    world = make()
    task = world.submit(order(HERE))
    world.history.records.clear()
    world.clock.advance(1000)
    world.catch_up()
    entries = story_of(world, task).entries
    told = [(type(each).__name__, each.wall_ms) for each in entries]
    names = ["LedgerEntry", "TaskMove", "TaskMove", "LedgerEntry", "TaskMove"]
    assert told == [(name, None) for name in names]


def test_attempts_stay_when_their_delivery_is_deleted() -> None:
    world = make()
    task = world.submit(order(HERE))
    entry = AttemptEnded(1, 1, "delivery_1_1", "delivery_1", task.id, 2, 2, 500, None, "failed")
    for _ in range(MOST_EVENTS + 3):
        world.history.delivery_changed(entry)
    story = story_of(world, task)
    assert sum(isinstance(each, AttemptEnded) for each in story.entries) == MOST_EVENTS
    assert story.more == 3


def test_a_fault_of_an_answer_belongs_to_the_story_of_its_task() -> None:
    world = make()
    task = world.submit(order(HERE))
    exchange = world.open_exchange("GET", "/read")
    exchange.task, exchange.operation, exchange.faults = task.id, "read", ("fault_1",)
    exchange.end(*world.clock.moment(), "reset_by_fault")
    world.note_ended(exchange)
    entries = story_of(world, task).entries
    (bitten,) = [each for each in entries if isinstance(each, FaultChange)]
    assert (bitten.what, bitten.fault, bitten.request) == ("bitten", "fault_1", exchange.id)
    (looks,) = [each for each in entries if isinstance(each, LooksEntry)]
    assert (looks.looks.count, looks.looks.failed) == (1, 1)


# --- looks ------------------------------------------------------------------------------------

TIMES = st.integers(0, 10**6)
READ = st.tuples(TIMES, TIMES, st.booleans(), st.booleans())


@given(st.lists(READ, min_size=1, max_size=20))
def test_looks_are_folded(reads: list[tuple[int, int, bool, bool]]) -> None:
    record = TaskRecord.of_held(1, 0, 0, 0, 0)
    walls = sorted(wall for _, wall, *_ in reads)
    in_order = zip(sorted(reads), walls, strict=True)
    reads = [(at_ms, wall_ms, *rest) for (at_ms, _, *rest), wall_ms in in_order]  # type: ignore[misc]
    for read in reads:
        record = record.with_look(*read)
    looks = record.looks
    assert looks is not None
    assert looks.count == len(reads)
    assert (looks.first_ms, looks.last_ms) == (reads[0][0], reads[-1][0])
    assert (looks.first_wall_ms, looks.last_wall_ms) == (reads[0][1], reads[-1][1])
    assert looks.failed == sum(failed for _, _, failed, _ in reads)
    assert looks.after_end == sum(after for *_, after in reads)
    pairs = list(pairwise(reads))
    gaps = [later[0] - earlier[0] for earlier, later in pairs]
    wall_gaps = [later[1] - earlier[1] for earlier, later in pairs]
    assert looks.shortest_gap_ms == min(gaps, default=None)
    assert looks.shortest_gap_wall_ms == min(wall_gaps, default=None)


@given(st.permutations(range(5)))
def test_reads_that_end_in_another_order_have_the_same_first_and_last(order: list[int]) -> None:
    record = TaskRecord.of_held(1, 0, 0, 0, 0)
    for number in order:
        record = record.with_look(number * 100, number * 100, False, False)
    looks = record.looks
    assert looks is not None
    assert (looks.first_ms, looks.last_ms, looks.count) == (0, 400, 5)


# --- records and lists ------------------------------------------------------------------------

OPTIONAL = st.none() | st.integers(0, 2**50)
ENDERS: list[EndedBy] = ["answered", "caller_left", "reset_by_fault", "server_stopped"]


@given(st.data())
def test_a_record_is_the_same_after_its_state(data: st.DataObject) -> None:
    record = TaskRecord.of_held(*(data.draw(st.integers(0, 2**50)) for _ in range(5)))
    if data.draw(st.booleans()):
        status = data.draw(st.none() | st.integers(100, 599))
        record = record.with_answer(5, 6, status, data.draw(st.sampled_from(ENDERS)), 7)
    if data.draw(st.booleans()):
        record = record.with_taken_up(data.draw(st.integers(0, 2**50)))
    if data.draw(st.booleans()):
        record = record.with_hand()
    if data.draw(st.booleans()):
        record = record.with_end(8, 9)
    for _ in range(data.draw(st.integers(0, 3))):
        record = record.with_look(data.draw(TIMES), data.draw(TIMES), False, True)
    record = record.with_event(FaultChange(1, 2, "armed", "fault_1"))
    assert TaskRecord.restored(record.state("task")) == record


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10), st.integers(0, 40))
def test_a_ring_keeps_the_last_items(items: list[int], max_kept: int, number: int) -> None:
    ring: Ring[int] = Ring(max_kept)
    for item in items:
        ring.add(item)
    assert list(ring) == items[-max_kept:]
    assert ring.evicted == max(0, len(items) - max_kept)
    assert ring.after(number) == items[max(number, ring.evicted) :]
    assert Ring(max_kept, items).made == len(items)
    again = Ring(max_kept, ring, ring.evicted)
    assert (list(again), again.made) == (list(ring), ring.made)


@given(st.lists(STEPS, max_size=30))
def test_every_row_and_move_of_a_story_was_a_change(steps: list[Step]) -> None:
    world = world_after(steps)
    changes = {entry for entry in world.history.changes if not isinstance(entry, RequestEnded)}
    for story in stories(world):
        for entry in story.entries:
            if isinstance(entry, TaskMove | AttemptEnded | FaultChange):
                assert entry in changes
            elif isinstance(entry, LedgerEntry):
                assert any(same_row(entry, change) for change in changes)


def same_row(entry: LedgerEntry, change: object) -> bool:
    return isinstance(change, LedgerEntry) and (entry.task, entry.moved, entry.at_ms) == (
        change.task,
        change.moved,
        change.at_ms,
    )
