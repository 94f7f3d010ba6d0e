"""Task states and the one table of moves between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class TaskState(StrEnum):
    """Where a task is. Both APIs share these; each shows them in its own words."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class TaskEvent(StrEnum):
    """What can happen to a task."""

    TAKEN_UP = "taken_up"
    RENDERED = "rendered"
    BROKE = "broke"


class IllegalMove(Exception):
    """The event cannot happen in this state."""

    def __init__(self, state: TaskState, event: TaskEvent) -> None:
        super().__init__(f"nothing leads from {state.value} by {event.value}")


MOVES: Mapping[TaskState, Mapping[TaskEvent, TaskState]] = {
    TaskState.QUEUED: {
        TaskEvent.TAKEN_UP: TaskState.PROCESSING,
        TaskEvent.BROKE: TaskState.FAILED,  # rivya-fail-from-queued: before upstream took it
    },
    TaskState.PROCESSING: {
        TaskEvent.RENDERED: TaskState.SUCCEEDED,
        TaskEvent.BROKE: TaskState.FAILED,
    },
    TaskState.SUCCEEDED: {},  # terminal: nothing leaves
    TaskState.FAILED: {},
}

OUTCOMES = {"succeeded": TaskEvent.RENDERED, "failed": TaskEvent.BROKE}
"""What has to happen to a task at work for it to end so."""

TERMINAL = frozenset(state for state, moves in MOVES.items() if not moves)


def after(state: TaskState, event: TaskEvent) -> TaskState:
    """The state that follows. Raises IllegalMove if the table has no such move."""
    try:
        return MOVES[state][event]
    except KeyError:
        raise IllegalMove(state, event) from None


def state_at(timeline: Iterable[tuple[int, TaskEvent]], now_ms: int) -> TaskState:
    """The state at a moment, from what happens when; `timeline` is oldest first."""
    state = TaskState.QUEUED
    for at_ms, event in timeline:
        if at_ms > now_ms:
            break
        state = after(state, event)
    return state
