"""What a fault makes of a task's fate."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.lifecycle import TaskEvent
from mock_server.core.task_faults import TaskFault
from mock_server.core.tasks import NEVER_MS, Fate

NOW_MS = 1_000_000
FATE = Fate(NOW_MS + 200, NOW_MS + 1000, TaskEvent.RENDERED)
RENDERED, BROKE = TaskEvent.RENDERED, TaskEvent.BROKE

seconds = st.none() | st.floats(0, 10**9)
ends: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"stuck": True}, {"outcome": "succeeded"}, {"outcome": "failed"}]
)
faults = st.builds(
    lambda end, **terms: TaskFault(**end, **terms),
    ends,
    queued_s=seconds,
    processing_s=seconds,
    told_before_answer=st.booleans(),
)
fates = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(TaskEvent)).map(
    lambda drawn: Fate(NOW_MS + drawn[0], NOW_MS + drawn[0] + drawn[1], drawn[2])
)


@pytest.mark.parametrize(
    ("terms", "taken_up_ms", "ends_ms", "outcome"),
    [
        ({}, 200, 1000, RENDERED),
        ({"queued_s": 5}, 5000, 5800, RENDERED),
        ({"processing_s": 5}, 200, 5200, RENDERED),
        ({"queued_s": 0, "processing_s": 0}, 0, 0, RENDERED),
        ({"queued_s": 0.0015, "processing_s": 0.0104}, 2, 12, RENDERED),
        ({"outcome": "failed"}, 200, 1000, BROKE),
        ({"outcome": "succeeded"}, 200, 1000, RENDERED),
        ({"told_before_answer": True}, 0, 0, RENDERED),
        ({"told_before_answer": True, "outcome": "failed"}, 0, 0, BROKE),
        ({"told_before_answer": True, "queued_s": 1}, 1000, 1000, RENDERED),
        ({"told_before_answer": True, "processing_s": 1}, 0, 1000, RENDERED),
    ],
)
def test_only_what_is_said_changes(
    terms: dict[str, Any], taken_up_ms: int, ends_ms: int, outcome: TaskEvent
) -> None:
    expected = Fate(NOW_MS + taken_up_ms, NOW_MS + ends_ms, outcome)
    assert TaskFault(**terms).changed(FATE, NOW_MS) == expected


def test_a_task_that_would_fail_can_be_made_to_succeed() -> None:
    fate = Fate(NOW_MS, NOW_MS, BROKE)
    assert TaskFault(outcome="succeeded").changed(fate, NOW_MS).outcome is RENDERED
    assert TaskFault().changed(fate, NOW_MS).outcome is BROKE


def test_a_stuck_task_is_taken_up_and_never_ends() -> None:
    fate = TaskFault(stuck=True, queued_s=3, processing_s=5).changed(FATE, NOW_MS)
    assert fate == Fate(NOW_MS + 3000, NEVER_MS, RENDERED)


@given(fates)
def test_a_fault_that_says_nothing_changes_nothing(fate: Fate) -> None:
    assert TaskFault().changed(fate, NOW_MS) == fate


@given(faults, fates)
def test_a_task_is_never_taken_up_before_it_is_made_nor_ended_before_that(
    fault: TaskFault, fate: Fate
) -> None:
    changed = fault.changed(fate, NOW_MS)
    assert NOW_MS <= changed.taken_up_ms <= changed.ends_ms
    assert (changed.ends_ms == NEVER_MS) is fault.stuck


@given(faults, fates)
def test_what_is_changed_already_stays_so_when_it_is_changed_again(
    fault: TaskFault, fate: Fate
) -> None:
    once = fault.changed(fate, NOW_MS)
    if not fault.stuck:
        assert fault.changed(once, NOW_MS) == once
