"""The state of a task follows from its plan and the time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.lifecycle import TaskEvent, TaskState
from mock_server.core.refusals import UnknownTask
from mock_server.core.tasks import Order, PlannedOutcome, Task, Tasks

ORDER = Order("rivya", "ada", "key", "hailuo-pro", 57, b"{}", "http://mock.test")
TASK = Task("task_1", ORDER, 100, PlannedOutcome(300, 1_100, TaskEvent.RENDERED))
RANK = {state: min(number, 2) for number, state in enumerate(TaskState)}

plans = st.builds(
    lambda moments, outcome: PlannedOutcome(min(moments), max(moments), outcome),
    st.tuples(st.integers(0, 20), st.integers(0, 20)),
    st.sampled_from([TaskEvent.RENDERED, TaskEvent.BROKE]),
)


@pytest.mark.parametrize(
    ("now_ms", "state", "updated_ms"),
    [
        (100, TaskState.QUEUED, 100),
        (299, TaskState.QUEUED, 100),
        (300, TaskState.PROCESSING, 300),
        (1_099, TaskState.PROCESSING, 300),
        (1_100, TaskState.SUCCEEDED, 1_100),
        (10**9, TaskState.SUCCEEDED, 1_100),
    ],
)
def test_state_and_last_change_follow_from_the_time(
    now_ms: int, state: TaskState, updated_ms: int
) -> None:
    assert TASK.state_at(now_ms) is state
    assert TASK.updated_ms(now_ms) == updated_ms


@pytest.mark.parametrize("taken_up_ms", [100, 300])
def test_a_task_can_fail_in_the_millisecond_in_which_it_is_taken_up(taken_up_ms: int) -> None:
    task = Task("task_1", ORDER, 100, PlannedOutcome(taken_up_ms, 300, TaskEvent.BROKE))
    assert task.state_at(300) is TaskState.FAILED


@given(plans, st.integers(-1, 21), st.integers(0, 21))
def test_a_state_only_moves_forward(planned: PlannedOutcome, now_ms: int, later_by_ms: int) -> None:
    task = Task("task_1", ORDER, 0, planned)
    earlier, later = task.state_at(now_ms), task.state_at(now_ms + later_by_ms)
    assert earlier is later or RANK[earlier] < RANK[later]


def test_an_owner_finds_the_task() -> None:
    tasks = Tasks()
    tasks.add(TASK)
    assert tasks.find("task_1", api="rivya", account="ada") == TASK
    assert tasks["task_1"] == TASK
    assert len(tasks) == 1


@pytest.mark.parametrize(
    ("task_id", "api", "account"),
    [("task_1", "rivya", "ben"), ("task_1", "acedata", "ada"), ("task_2", "rivya", "ada")],
    ids=["another account", "another api", "no such id"],
)
def test_a_task_of_another_account_is_refused_like_an_unknown_one(
    task_id: str, api: str, account: str
) -> None:
    tasks = Tasks()
    tasks.add(TASK)
    with pytest.raises(UnknownTask, match="^this account has no task with that id$"):
        tasks.find(task_id, api=api, account=account)


def test_get_returns_a_task_of_any_account() -> None:
    tasks = Tasks()
    tasks.add(TASK)
    assert tasks.get("task_1") == TASK
    assert tasks.get("task_2") is None
