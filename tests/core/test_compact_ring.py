"""A compact ring keeps the last items, equal to those that were added."""

from __future__ import annotations

from copy import copy
from itertools import cycle, islice
from typing import get_args

import pytest
from msgspec.structs import replace

from mock_server.core.compact_ring import CompactRing
from mock_server.core.history_entries import (
    AttemptEnded,
    Change,
    ClockMove,
    DeliveryMove,
    FaultChange,
    LedgerEntry,
    RequestEnded,
    RequestStarted,
    TaskMove,
)
from mock_server.core.lifecycle import TaskState
from mock_server.core.world_copy import copy_of_world
from tests.core.test_snapshot import make

IN_A_BLOCK = 128
KINDS: tuple[Change, ...] = (
    RequestStarted(1, None, "req_1", "GET"),
    RequestEnded(1, 2, "req_1", "GET", "read", 200, 3, 4, "answered", 5, "task_1", None),
    RequestEnded(1, None, "req_1", "GET", None, None, None, None, None, 0),
    LedgerEntry(1, 2, "ada", "set", -(10**15), 10**15, None, None),
    TaskMove(1, 2, "task_1", TaskState.SUCCEEDED, "hand"),
    DeliveryMove(1, 2, "delivery_1", "task_1", "x.succeeded", "\u00fcber \u2026"),
    AttemptEnded(1, 2, "attempt_1", "delivery_1", "task_1", 3, None, None, "reset", "failed"),
    ClockMove(1, 2, 3, "real", 0.5),
    FaultChange(1, 2, "bitten", "fault_1", "outage", "key", "answer", "req_1", "task_1"),
)


def filled(count: int, max_kept: int) -> tuple[CompactRing[Change], list[Change]]:
    ring: CompactRing[Change] = CompactRing(max_kept, Change)
    items = [replace(kind, at_ms=number) for number, kind in enumerate(islice(cycle(KINDS), count))]
    for item in items:
        ring.add(item)
    return ring, items


def test_every_kind_of_change_is_tried() -> None:
    assert {type(each) for each in KINDS} == set(get_args(Change))


@pytest.mark.parametrize("max_kept", [1, 2, 127, 128, 129, 300, 1000])
def test_the_last_items_are_kept_unchanged(max_kept: int) -> None:
    for count in (0, 1, 2, 127, 128, 129, 255, 256, 257, 300, 301, 700):
        ring, items = filled(count, max_kept)
        kept = items[-max_kept:]
        assert (list(ring), len(ring)) == (kept, len(kept))
        assert (ring.made, ring.evicted) == (count, count - len(kept))
        for number in (0, 1, count - 130, count - 128, count - 1, count, count + 1):
            assert list(ring.after(max(0, number))) == items[max(0, number, ring.evicted) :]


def test_states_stay_states() -> None:
    ring, _ = filled(2 * IN_A_BLOCK, 3 * IN_A_BLOCK)
    assert all(isinstance(each.state, TaskState) for each in ring if isinstance(each, TaskMove))


def test_items_are_unpacked_only_when_they_are_read() -> None:
    ring, items = filled(3 * IN_A_BLOCK, 3 * IN_A_BLOCK)
    broken = copy(ring)
    broken._blocks = ring._blocks.copy()
    broken._blocks[2] = b"not read"
    assert list(islice(broken.after(0), IN_A_BLOCK)) == items[:IN_A_BLOCK]


def test_a_copy_of_a_world_keeps_its_changes() -> None:
    world = make()
    for item in filled(IN_A_BLOCK + 5, 1000)[1]:
        world.history.changes.add(item)
    before = list(world.history.changes)
    twin = copy_of_world(world)
    for item in filled(IN_A_BLOCK, 1000)[1]:
        world.history.changes.add(item)
    assert list(twin.history.changes) == before
