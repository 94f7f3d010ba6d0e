"""The requests that an inbox keeps, and the answers it gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mock_server.core.inbox import OK_ANSWER, UNSIGNED, Inbox, InboxAnswer, Inboxes, Received
from mock_server.core.refusals import Conflict

programs = st.lists(
    st.builds(InboxAnswer, status=st.integers(200, 599), times=st.integers(1, 5)), max_size=5
)


def received(number: int) -> Received:
    return Received(number, "POST", "/a", "", (), b"", 0, UNSIGNED, 200)


@given(programs, st.integers(0, 30))
def test_each_answer_is_given_as_often_as_it_says_and_then_200(
    program: list[InboxAnswer], count: int
) -> None:
    inbox = Inbox("a", 10)
    inbox.program(program)
    programmed = [answer.status for answer in program for _ in range(answer.times)]
    expected = (programmed + [200] * count)[:count]
    assert [inbox.next_answer().status for _ in range(count)] == expected


@given(programs, programs, st.integers(0, 10))
def test_new_answers_start_with_the_first_one(
    old: list[InboxAnswer], new: list[InboxAnswer], given_before: int
) -> None:
    one, other = Inbox("a", 10), Inbox("a", 10)
    one.program(old)
    for _ in range(given_before):
        one.next_answer()
    one.program(new)
    other.program(new)
    count = sum(answer.times for answer in new) + 1
    answers = [one.next_answer() for _ in range(count)]
    assert answers == [other.next_answer() for _ in range(count)]


def test_the_default_answer_is_an_empty_200_at_once() -> None:
    assert Inbox("a", 1).next_answer() is OK_ANSWER
    assert (OK_ANSWER.status, OK_ANSWER.headers, OK_ANSWER.body) == (200, {}, "")
    assert (OK_ANSWER.delay_s, OK_ANSWER.hang, OK_ANSWER.cut) == (0, False, False)


@given(st.integers(1, 10), st.integers(0, 30))
def test_the_latest_requests_are_kept_and_the_others_counted(most: int, count: int) -> None:
    inbox = Inbox("a", most)
    for number in range(count):
        inbox.keep(received(number))
    assert [request.at_ms for request in inbox] == list(range(count))[-most:]
    assert inbox.received == count
    assert inbox.evicted == max(0, count - most)


def test_asking_for_an_inbox_creates_it() -> None:
    inboxes = Inboxes(max_requests=5, max_body_bytes=10)
    assert list(inboxes) == []
    first = inboxes.of("a")
    assert inboxes.of("a") is first
    assert inboxes.of("b") is not first
    assert [inbox.name for inbox in inboxes] == ["a", "b"]


def test_every_inbox_keeps_as_much_as_the_rules_say() -> None:
    inbox = Inboxes(max_requests=2, max_body_bytes=10).of("a")
    for number in range(3):
        inbox.keep(received(number))
    assert inbox.evicted == 1


def test_one_inbox_too_many_is_refused_and_the_others_still_work() -> None:
    inboxes = Inboxes(max_requests=2, max_body_bytes=10, max_inboxes=2)
    first = inboxes.of("a")
    inboxes.of("b")
    with pytest.raises(Conflict, match=r"limits\.inboxes"):
        inboxes.of("c")
    assert inboxes.of("a") is first


def test_reading_an_inbox_does_not_create_it() -> None:
    inboxes = Inboxes(max_requests=2, max_body_bytes=10, max_inboxes=1)
    assert inboxes.find("b").name == "b"
    assert inboxes.find("a") is not inboxes.of("a")
    assert inboxes.find("a") is inboxes.of("a")


def test_many_requests_to_one_inbox_delete_none_of_another() -> None:
    inboxes = Inboxes(max_requests=1000, max_body_bytes=10**6, max_bytes=20_000)
    quiet, flooded = inboxes.of("quiet"), inboxes.of("flooded")
    inboxes.keep(quiet, received(0))
    for number in range(100):
        inboxes.keep(flooded, replace(received(number), body=b"x" * 1000))
    assert quiet.evicted == 0
    assert flooded.evicted > 80
    assert [request.at_ms for request in flooded][-1] == 99


requests = st.tuples(st.sampled_from("abc"), st.integers(0, 3000))


@given(st.lists(requests, max_size=60), st.integers(1, 10_000), st.integers(1, 5))
def test_no_more_bytes_than_the_limit_are_kept_and_deletions_are_counted(
    came: list[tuple[str, int]], limit: int, per_inbox: int
) -> None:
    inboxes = Inboxes(per_inbox, 10**6, max_bytes=limit)
    for number, (name, size_bytes) in enumerate(came):
        request = replace(received(number), body=b"x" * size_bytes)
        inboxes.keep(inboxes.of(name), request)
        kept = [each for inbox in inboxes for each in inbox]
        assert sum(each.kept_bytes for each in kept) <= limit
        assert sum(inbox.kept_bytes for inbox in inboxes) == sum(each.kept_bytes for each in kept)
        assert len(kept) + sum(inbox.evicted for inbox in inboxes) == number + 1


def test_a_restored_inbox_counts_its_bytes() -> None:
    inbox, other = Inbox("a", 5), Inbox("a", 5)
    inbox.keep(replace(received(1), body=b"x" * 1000))
    other.restore(inbox.state())
    assert other.kept_bytes == inbox.kept_bytes > 1000
