"""A task is facts; its state follows from them and the time."""

from __future__ import annotations

import pytest

from mock_server.core.lifecycle import TaskEvent, TaskState
from mock_server.core.refusals import UnknownTask
from mock_server.core.tasks import Fate, Order, Task, Tasks

ORDER = Order("rivya", "ada", "key", "hailuo-pro", 57, b"{}", "http://mock.test")
TASK = Task("task_1", ORDER, 100, Fate(300, 1_100, TaskEvent.RENDERED))


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
def test_whatever_is_not_ones_own_is_unknown_in_the_same_words(
    task_id: str, api: str, account: str
) -> None:
    tasks = Tasks()
    tasks.add(TASK)
    with pytest.raises(UnknownTask, match="^this account has no task with that id$"):
        tasks.find(task_id, api=api, account=account)


def test_whoever_knows_the_id_gets_the_task() -> None:
    tasks = Tasks()
    tasks.add(TASK)
    assert tasks.get("task_1") == TASK
    assert tasks.get("task_2") is None
