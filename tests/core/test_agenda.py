"""What is due when: oldest first, in the order noted where moments are equal."""

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


def test_a_thing_is_due_from_its_very_millisecond() -> None:
    agenda = Agenda()
    agenda.note(100, Occasion.ALARM, "task")
    assert not agenda.take_due(99)
    assert agenda.take_due(100) == [Due(100, Occasion.ALARM, "task")]


def test_a_thing_is_taken_once() -> None:
    agenda = Agenda()
    agenda.note(100, Occasion.ALARM, "task")
    agenda.take_due(100)
    assert not agenda.take_due(100)


def test_the_next_moment_is_told_without_taking_anything() -> None:
    agenda = Agenda()
    agenda.note(200, Occasion.TASK_ENDS, "b")
    agenda.note(100, Occasion.TASK_TAKEN_UP, "a")
    assert agenda.next_ms() == 100
    assert len(take_all(agenda, 200)) == 2


def test_one_moment_is_taken_at_a_time() -> None:
    agenda = Agenda()
    for at_ms, subject in [(200, "b"), (100, "a"), (200, "c")]:
        agenda.note(at_ms, Occasion.ALARM, subject)
    assert [due.subject for due in agenda.take_due(300)] == ["a"]
    assert [due.subject for due in agenda.take_due(300)] == ["b", "c"]


def test_equal_moments_keep_the_order_in_which_they_were_noted() -> None:
    """The order of the occasions' names and of the subjects would be another one."""
    noted = [
        Due(5, Occasion.TASK_TAKEN_UP, "b"),
        Due(5, Occasion.TASK_ENDS, "c"),
        Due(5, Occasion.ALARM, "d"),
        Due(5, Occasion.TASK_ENDS, "a"),
    ]
    agenda = Agenda()
    for due in noted:
        agenda.note(due.at_ms, due.occasion, due.subject)
    assert take_all(agenda, 5) == noted


@given(
    st.lists(
        st.builds(Due, st.integers(0, 9), st.sampled_from(Occasion), st.sampled_from("abc")),
        max_size=20,
    ),
    st.integers(-1, 10),
)
def test_exactly_what_is_due_comes_out_sorted_by_moment(noted: list[Due], now_ms: int) -> None:
    agenda = Agenda()
    for due in noted:
        agenda.note(due.at_ms, due.occasion, due.subject)
    due_by_now = [due for due in noted if due.at_ms <= now_ms]
    assert take_all(agenda, now_ms) == sorted(due_by_now, key=lambda due: due.at_ms)
    assert agenda.next_ms() == min((due.at_ms for due in noted if due.at_ms > now_ms), default=None)
