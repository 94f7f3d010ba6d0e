"""Entries are due oldest first; those of the same time keep their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.agenda import Agenda, Due, Occasion


def take_all(agenda: Agenda, now_ms: int) -> list[Due]:
    return [due for at_once in iter(lambda: agenda.take_due(now_ms), ()) for due in at_once]


def test_an_empty_agenda_has_nothing_due() -> None:
    agenda = Agenda()
    assert agenda.next_ms() is None
    assert not agenda.take_due(10**15)


def test_an_entry_is_due_at_its_millisecond() -> None:
    agenda = Agenda()
    agenda.add(100, Occasion.HOLD_TIMEOUT, "task")
    assert not agenda.take_due(99)
    assert agenda.take_due(100) == [Due(100, Occasion.HOLD_TIMEOUT, "task")]


def test_an_entry_is_taken_once() -> None:
    agenda = Agenda()
    agenda.add(100, Occasion.HOLD_TIMEOUT, "task")
    agenda.take_due(100)
    assert not agenda.take_due(100)


def test_next_ms_takes_no_entry() -> None:
    agenda = Agenda()
    agenda.add(200, Occasion.TASK_ENDS, "b")
    agenda.add(100, Occasion.TASK_TAKEN_UP, "a")
    assert agenda.next_ms() == 100
    assert len(take_all(agenda, 200)) == 2


def test_entries_of_one_time_are_taken_together() -> None:
    agenda = Agenda()
    for at_ms, subject in [(200, "b"), (100, "a"), (200, "c")]:
        agenda.add(at_ms, Occasion.HOLD_TIMEOUT, subject)
    assert [due.subject for due in agenda.take_due(300)] == ["a"]
    assert [due.subject for due in agenda.take_due(300)] == ["b", "c"]


def test_entries_of_the_same_time_keep_their_order() -> None:
    """Neither the names of the occasions nor the subjects decide the order."""
    noted = [
        Due(5, Occasion.TASK_TAKEN_UP, "b"),
        Due(5, Occasion.TASK_ENDS, "c"),
        Due(5, Occasion.HOLD_TIMEOUT, "d"),
        Due(5, Occasion.TASK_ENDS, "a"),
    ]
    agenda = Agenda()
    for due in noted:
        agenda.add(due.at_ms, due.occasion, due.subject)
    assert take_all(agenda, 5) == noted


@given(
    st.lists(
        st.builds(Due, st.integers(0, 9), st.sampled_from(Occasion), st.sampled_from("abc")),
        max_size=20,
    ),
    st.integers(-1, 10),
)
def test_exactly_the_due_entries_are_taken_in_order_of_time(noted: list[Due], now_ms: int) -> None:
    agenda = Agenda()
    for due in noted:
        agenda.add(due.at_ms, due.occasion, due.subject)
    due_by_now = [due for due in noted if due.at_ms <= now_ms]
    assert take_all(agenda, now_ms) == sorted(due_by_now, key=lambda due: due.at_ms)
    assert agenda.next_ms() == min((due.at_ms for due in noted if due.at_ms > now_ms), default=None)
