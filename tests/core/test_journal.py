"""The journal keeps the last exchanges and counts the deleted ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core import journal as journal_module
from mock_server.core import packed_ring
from mock_server.core.journal import Exchange, Journal


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


STEPS = st.sampled_from(
    ["open and end"] * 6 + ["open"] * 2 + ["end"] * 2 + ["hand over", "read"] * 2 + ["clear"]
)


@settings(max_examples=300)
@given(st.lists(STEPS, min_size=30, max_size=80), st.integers(1, 12), st.integers(1, 3))
def test_a_journal_shows_the_same_whether_it_has_packed_exchanges_or_not(
    steps: list[str], bound: int, in_a_block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal_module, "IN_A_BLOCK", in_a_block)
        patch.setattr(packed_ring, "IN_A_BLOCK", in_a_block)
        journal = Journal(bound, 10, max_archive_bytes=1 << 20)
        kept: list[Exchange] = []
        to_hand_over: list[Exchange] = []
        for step in steps:
            match step:
                case "open" | "open and end":
                    if len(kept) == bound:
                        del kept[0]
                    kept.append(journal.open(f"req_{journal.opened}", 1, "GET", "/"))
                    kept[-1].request_headers = kept[-1].answer_headers = []  # tuples become lists
                    to_hand_over.append(kept[-1])
                    if step == "open and end":
                        kept[-1].end(2, 3, "answered")
                case "hand over":
                    packed, others = journal.hand_over()
                    assert sorted([*packed, *others], key=by_number) == to_hand_over
                    to_hand_over = []
                case "clear":
                    journal.clear()
                    kept = [each for each in kept if each.ended_ms is None]
                    to_hand_over = kept.copy()
                case "read":
                    assert journal.newest(bound // 2) == kept[max(0, len(kept) - bound // 2) :]
                    assert all(journal.get(each.id) == each for each in kept)
                    assert [journal.after(each.id) for each in kept] == [
                        kept[place:] for place in range(1, len(kept) + 1)
                    ]
                case "end":
                    for each in kept:
                        each.end(2, 3, "answered")
            assert len(journal) == len(kept)
            assert journal.evicted == journal.opened - len(kept)
            assert journal.forgotten == 0
        assert list(journal) == kept
        assert journal.state().exchanges == tuple(kept)


def by_number(exchange: Exchange) -> int:
    return exchange.number


def test_only_the_newest_exchanges_stay_objects_unless_older_ones_are_under_way() -> None:
    journal = Journal(1000, 10, max_archive_bytes=1 << 20)
    opened = []
    for number in range(1500):
        opened.append(journal.open(f"req_{number}", 1, "GET", "/"))
        if number != 700:
            opened[-1].end(2, 3, "answered")
    assert same_objects(journal, opened) == 860
    opened[700].end(2, 3, "answered")
    for number in range(1500, 2500):
        opened.append(journal.open(f"req_{number}", 1, "GET", "/"))
        opened[-1].end(2, 3, "answered")
    assert 0 < same_objects(journal, opened) <= 256


def same_objects(journal: Journal, opened: list[Exchange]) -> int:
    """How many of the journal's exchanges are these objects."""
    ids = set(map(id, opened))
    return sum(id(each) in ids for each in journal)
