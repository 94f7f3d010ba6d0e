"""A packed ring keeps its last items within its bytes, and says how many it has."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.journal import Exchange, Journal
from mock_server.core.packed_ring import PackedRing

IN_A_BLOCK = 128


def ended(exchange: Exchange) -> bool:
    return exchange.ended_ms is not None


def taken(ring: PackedRing[Exchange]) -> list[Exchange]:
    packed, others = ring.take()
    return [*packed, *others]


def exchange(number: int, *, body_bytes: int = 0) -> Exchange:
    body = random.Random(number).randbytes(body_bytes)  # does not get smaller
    made = Exchange(f"req_{number}", number, "GET", "/", request_body=body, ended_ms=number)
    made.request_headers = made.answer_headers = []  # tuples become lists
    return made


@given(st.integers(0, 3 * IN_A_BLOCK), st.sets(st.integers(0, 3 * IN_A_BLOCK)))
def test_what_it_has_room_for_is_unchanged(count: int, under_way: set[int]) -> None:
    ring = PackedRing(Exchange, 1 << 20, ended)
    added = [exchange(number) for number in range(count)]
    for each in added:
        if each.started_ms in under_way:
            each.ended_ms = None
        ring.add(each)
    for each in added:
        each.ended_ms = each.started_ms  # what was under way is not kept as it was
    assert len(ring) == count
    assert sorted(taken(ring), key=lambda each: each.started_ms) == added
    assert (len(ring), taken(ring)) == (0, [])


def test_the_oldest_are_deleted_past_its_bytes() -> None:
    ring = PackedRing(Exchange, 3 * IN_A_BLOCK * 1000, ended)
    for number in range(5 * IN_A_BLOCK):
        ring.add(exchange(number, body_bytes=900))
    assert len(ring) == 3 * IN_A_BLOCK
    kept = [each.started_ms for each in taken(ring)]
    assert kept == list(range(2 * IN_A_BLOCK, 5 * IN_A_BLOCK))


def test_a_ring_without_bytes_keeps_nothing() -> None:
    ring = PackedRing(Exchange, 0, ended)
    ring.add(exchange(1))
    assert (len(ring), taken(ring)) == (0, [])


def handed_over(journal: Journal) -> list[str]:
    packed, others = journal.hand_over()
    return [each.id for each in (*packed, *others)]


def filled(count: int, archive_bytes: int) -> Journal:
    journal = Journal(2, 10, max_archive_bytes=archive_bytes)
    for number in range(count):
        journal.open(f"req_{number}", number, "GET", "/")
    return journal


def test_a_journal_forgets_only_what_is_not_archived() -> None:
    journal = filled(5, 1 << 20)
    assert (journal.lost, journal.forgotten) == (3, 0)
    assert handed_over(journal) == [f"req_{number}" for number in range(5)]
    assert (journal.lost, journal.forgotten) == (3, 0)
    assert filled(5, 0).forgotten == 3


def test_a_journal_that_is_cleared_or_restored_has_no_archive() -> None:
    cleared, restored = filled(5, 1 << 20), filled(5, 1 << 20)
    cleared.clear()
    restored.restore(restored.state())
    assert (handed_over(cleared), cleared.forgotten) == (["req_3", "req_4"], 0)
    assert (handed_over(restored), restored.forgotten) == (["req_3", "req_4"], 3)


def test_each_exchange_is_handed_over_once_and_then_not_archived() -> None:
    journal = filled(3, 1 << 20)
    assert handed_over(journal) == ["req_0", "req_1", "req_2"]
    for number in range(3, 6):
        journal.open(f"req_{number}", number, "GET", "/")
    assert (journal.lost, journal.forgotten) == (4, 0)
    assert handed_over(journal) == ["req_3", "req_4", "req_5"]
    assert (handed_over(journal), journal.forgotten) == ([], 0)
