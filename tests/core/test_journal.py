"""The journal keeps the last exchanges and counts the deleted ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.journal import Journal


def filled(exchanges: int, *, max_exchanges: int) -> Journal:
    journal = Journal(max_exchanges, 10)
    for number in range(exchanges):
        journal.open(f"req_{number}", number, "GET", "/")
    return journal


@given(st.integers(0, 30), st.integers(1, 10))
def test_the_last_exchanges_are_kept_and_the_others_counted(opened: int, bound: int) -> None:
    journal = filled(opened, max_exchanges=bound)
    expected = list(range(opened))[-bound:]
    assert [exchange.id for exchange in journal] == [f"req_{number}" for number in expected]
    assert len(journal) == len(expected)
    assert (journal.opened, journal.evicted) == (opened, opened - len(expected))


@given(st.integers(0, 12), st.integers(1, 10), st.integers(0, 15))
def test_the_newest_are_the_end_of_it_in_the_same_order(
    opened: int, bound: int, count: int
) -> None:
    journal = filled(opened, max_exchanges=bound)
    whole = list(journal)
    assert journal.newest(count) == whole[max(0, len(whole) - count) :]


def test_an_exchange_under_way_can_be_read() -> None:
    journal = Journal(10, 10)
    journal.open("req_1", 5, "POST", "/api/v1/generations")
    (seen,) = journal
    assert (seen.id, seen.started_ms, seen.method) == ("req_1", 5, "POST")
    assert seen.path == "/api/v1/generations"
    assert (seen.account, seen.status, seen.ended_ms) == (None, None, None)
    assert (seen.request_body, seen.answer_body) == (b"", b"")


def test_the_journal_shows_later_changes_of_an_exchange() -> None:
    journal = Journal(10, 10)
    exchange = journal.open("req_1", 5, "GET", "/")
    exchange.status, exchange.ended_ms = 200, 9
    assert [(seen.status, seen.ended_ms) for seen in journal] == [(200, 9)]


def test_a_deleted_exchange_can_still_end() -> None:
    journal = Journal(1, 10)
    exchange = journal.open("req_1", 0, "GET", "/")
    journal.open("req_2", 1, "GET", "/")
    exchange.status = 200
    assert [(seen.id, seen.status) for seen in journal] == [("req_2", None)]


@given(st.binary(max_size=30))
def test_the_first_bytes_of_a_body_are_kept(body: bytes) -> None:
    assert Journal(1, 10).kept(body) == body[:10]


@given(st.lists(st.binary(max_size=8), max_size=8), st.integers(0, 20))
def test_the_same_first_bytes_of_a_body_in_pieces_are_kept(pieces: list[bytes], most: int) -> None:
    journal, kept = Journal(1, most), b""
    for piece in pieces:
        kept = journal.extended(kept, piece)
    assert kept == b"".join(pieces)[:most]


def test_an_exchange_can_be_found_by_id_until_it_is_deleted() -> None:
    journal = filled(5, max_exchanges=3)
    assert journal.get("req_1") is None
    found = journal.get("req_2")
    assert found is not None
    assert found.id == "req_2"
    assert journal.get("req_9") is None


def test_clear_deletes_and_counts_exchanges_that_have_ended() -> None:
    journal = filled(4, max_exchanges=10)
    for exchange in list(journal)[::2]:
        exchange.ended_ms = 9
    journal.clear()
    assert [exchange.id for exchange in journal] == ["req_1", "req_3"]
    assert (journal.opened, journal.evicted) == (4, 2)


def test_after_clear_the_journal_is_as_large_as_before() -> None:
    journal = Journal(2, 10)
    journal.clear()
    for number in range(5):
        journal.open(f"req_{number}", 0, "GET", "/")
    assert [exchange.id for exchange in journal] == ["req_3", "req_4"]
    assert (journal.opened, journal.evicted) == (5, 3)


def test_the_state_of_a_journal_can_be_restored_in_another() -> None:
    journal = filled(5, max_exchanges=3)
    other = filled(9, max_exchanges=3)
    other.restore(journal.state())
    assert list(other) == list(journal)
    assert (other.opened, other.evicted) == (5, 2)
    other.open("req_9", 0, "GET", "/")
    assert [exchange.id for exchange in other] == ["req_3", "req_4", "req_9"]
    assert [exchange.id for exchange in journal] == ["req_2", "req_3", "req_4"]


HEADERS = [(b"host", b"x"), (b"authorization", b"y" * 100), (b"accept", b"*/*")]


def test_headers_are_kept_whole_up_to_the_limit() -> None:
    size = sum(len(name) + len(value) + 32 for name, value in HEADERS)
    assert Journal(1, 10, size).kept_headers(HEADERS) == HEADERS


def test_a_header_says_how_many_are_left_out() -> None:
    kept = Journal(1, 10, 100).kept_headers(HEADERS)
    assert kept == [HEADERS[0], (b"...", b"2 more (limits.journal_header_bytes)")]


@given(st.lists(st.tuples(st.binary(max_size=50), st.binary(max_size=500))), st.integers(0, 2000))
def test_no_more_bytes_of_headers_than_the_limit_are_kept(
    headers: list[tuple[bytes, bytes]], limit: int
) -> None:
    kept = Journal(1, 10, limit).kept_headers(headers)
    own = [header for header in kept if header[0] != b"..."]
    assert sum(len(name) + len(value) + 32 for name, value in own) <= limit
    assert own == headers[: len(own)]
