"""Effects of a fault on a task's planned outcome."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.effects import TaskFault
from mock_server.core.lifecycle import FailureReason, TaskEvent
from mock_server.core.tasks import NEVER_MS, PlannedOutcome

NOW_MS = 1_000_000
FATE = PlannedOutcome(NOW_MS + 200, NOW_MS + 1000, TaskEvent.RENDERED)
RENDERED, BROKE = TaskEvent.RENDERED, TaskEvent.BROKE

seconds = st.none() | st.floats(0, 10**9)
reasons = st.sampled_from(get_args(FailureReason))
ends: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"stuck": True},
        {"outcome": "succeeded"},
        {"outcome": "failed"},
        *({"outcome": "failed", "reason": reason} for reason in get_args(FailureReason)),
    ]
)
faults = st.builds(
    lambda end, **terms: TaskFault(**end, **terms),
    ends,
    queued_s=seconds,
    processing_s=seconds,
    delivered_before_answer=st.booleans(),
)
fates = st.builds(
    lambda queued_ms, processing_ms, *end: PlannedOutcome(
        NOW_MS + queued_ms, NOW_MS + queued_ms + processing_ms, *end
    ),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(TaskEvent),
    reasons,
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
        ({"delivered_before_answer": True}, 0, 0, RENDERED),
        ({"delivered_before_answer": True, "outcome": "failed"}, 0, 0, BROKE),
        ({"delivered_before_answer": True, "queued_s": 1}, 1000, 1000, RENDERED),
        ({"delivered_before_answer": True, "processing_s": 1}, 0, 1000, RENDERED),
    ],
)
def test_only_the_fields_of_a_fault_change_the_plan(
    terms: dict[str, Any], taken_up_ms: int, ends_ms: int, outcome: TaskEvent
) -> None:
    expected = PlannedOutcome(NOW_MS + taken_up_ms, NOW_MS + ends_ms, outcome)
    assert TaskFault(**terms).applied_to(FATE, NOW_MS) == expected


def test_a_task_that_would_fail_can_be_made_to_succeed() -> None:
    planned = PlannedOutcome(NOW_MS, NOW_MS, BROKE)
    assert TaskFault(outcome="succeeded").applied_to(planned, NOW_MS).outcome is RENDERED
    assert TaskFault().applied_to(planned, NOW_MS).outcome is BROKE


@given(fates, st.none() | reasons)
def test_a_task_fails_for_the_reason_of_the_fault_or_as_planned(
    planned: PlannedOutcome, reason: FailureReason | None
) -> None:
    changed = TaskFault(outcome="failed", reason=reason).applied_to(planned, NOW_MS)
    assert (changed.outcome, changed.reason) == (BROKE, reason or planned.reason)


@pytest.mark.parametrize("end", [{}, {"outcome": "succeeded"}, {"stuck": True}])
def test_only_a_fault_that_makes_a_task_fail_has_a_reason(end: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match="outcome = failed"):
        msgspec.convert({"type": "task", "reason": "timeout"} | end, TaskFault)


def test_a_stuck_task_starts_and_never_ends() -> None:
    planned = TaskFault(stuck=True, queued_s=3, processing_s=5).applied_to(FATE, NOW_MS)
    assert planned == PlannedOutcome(NOW_MS + 3000, NEVER_MS, RENDERED)


@given(fates)
def test_a_fault_without_fields_changes_nothing(planned: PlannedOutcome) -> None:
    assert TaskFault().applied_to(planned, NOW_MS) == planned


@given(faults, fates)
def test_a_task_starts_after_it_is_made_and_ends_after_it_starts(
    fault: TaskFault, planned: PlannedOutcome
) -> None:
    changed = fault.applied_to(planned, NOW_MS)
    assert NOW_MS <= changed.taken_up_ms <= changed.ends_ms
    assert (changed.ends_ms == NEVER_MS) is fault.stuck


@given(faults, fates)
def test_applying_a_body_fault_twice_changes_nothing_more(
    fault: TaskFault, planned: PlannedOutcome
) -> None:
    once = fault.applied_to(planned, NOW_MS)
    if not fault.stuck:
        assert fault.applied_to(once, NOW_MS) == once
