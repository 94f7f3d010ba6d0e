"""The table of moves, and the state that follows from what happened when."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.lifecycle import (
    MOVES,
    TERMINAL,
    IllegalMove,
    TaskEvent,
    TaskState,
    after,
    state_at,
)

QUEUED, PROCESSING = TaskState.QUEUED, TaskState.PROCESSING
SUCCEEDED, FAILED = TaskState.SUCCEEDED, TaskState.FAILED
TAKEN_UP, RENDERED, BROKE = TaskEvent.TAKEN_UP, TaskEvent.RENDERED, TaskEvent.BROKE

# The diagram of dossier rivya 6.3, arrow by arrow.
ARROWS = {
    (QUEUED, TAKEN_UP): PROCESSING,
    (QUEUED, BROKE): FAILED,
    (PROCESSING, RENDERED): SUCCEEDED,
    (PROCESSING, BROKE): FAILED,
}
RANK = {QUEUED: 0, PROCESSING: 1, SUCCEEDED: 2, FAILED: 2}

HISTORIES: list[tuple[TaskEvent, ...]] = [
    (),
    (TAKEN_UP,),
    (BROKE,),
    (TAKEN_UP, RENDERED),
    (TAKEN_UP, BROKE),
]


@st.composite
def timelines(draw: st.DrawFn) -> list[tuple[int, TaskEvent]]:
    events = draw(st.sampled_from(HISTORIES))
    moments = draw(st.lists(st.integers(0, 20), min_size=len(events), max_size=len(events)))
    return list(zip(sorted(moments), events, strict=True))


@pytest.mark.parametrize(("state", "event"), list(product(TaskState, TaskEvent)))
def test_an_event_follows_an_arrow_or_is_illegal(state: TaskState, event: TaskEvent) -> None:
    if (state, event) in ARROWS:
        assert after(state, event) is ARROWS[state, event]
    else:
        with pytest.raises(IllegalMove, match=f"{state.value} by {event.value}"):
            after(state, event)


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(MOVES) == set(TaskState)


def test_the_terminal_states_are_succeeded_and_failed() -> None:
    assert {SUCCEEDED, FAILED} == TERMINAL


@pytest.mark.parametrize("state", [SUCCEEDED, FAILED])
def test_nothing_leaves_a_terminal_state(state: TaskState) -> None:
    assert MOVES[state] == {}


def test_an_event_counts_from_its_very_millisecond() -> None:
    timeline = [(10, TAKEN_UP), (20, RENDERED)]
    assert [state_at(timeline, now_ms) for now_ms in (9, 10, 19, 20)] == [
        QUEUED,
        PROCESSING,
        PROCESSING,
        SUCCEEDED,
    ]


def test_two_events_of_one_moment_both_happen() -> None:
    assert state_at([(5, TAKEN_UP), (5, BROKE)], 5) is FAILED


def test_a_history_that_breaks_the_table_is_not_believed() -> None:
    with pytest.raises(IllegalMove):
        state_at([(1, RENDERED)], 1)


@given(timelines(), st.integers(-1, 21), st.integers(0, 21))
def test_a_state_only_moves_forward(
    timeline: list[tuple[int, TaskEvent]], now_ms: int, later_by_ms: int
) -> None:
    earlier, later = state_at(timeline, now_ms), state_at(timeline, now_ms + later_by_ms)
    assert earlier is later or RANK[earlier] < RANK[later]
