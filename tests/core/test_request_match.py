"""Filters for recorded requests, expected counts and order, and near misses."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.journal import Exchange
from mock_server.core.request_match import (
    Expectation,
    RequestMatch,
    first_out_of_order,
    matching,
    near_misses,
)

FACTS: dict[str, Any] = {
    "method": "POST",
    "path": "/api/v1/generations",
    "api": "rivya",
    "operation": "create",
    "status": 200,
    "account": "a",
    "task": "task_1",
}
OTHERS: dict[str, Any] = {
    "method": "GET",
    "path": "/hailuo/videos",
    "api": "acedata",
    "operation": "read",
    "status": 404,
    "account": "b",
    "task": "task_2",
}


def exchange(number: int = 1, body: Any = b"", **facts: Any) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = FACTS | facts
    kept = Exchange(f"req_{number}", 0, known.pop("method"), known.pop("path"))
    for name, value in known.items():
        setattr(kept, name, value)
    kept.request_body, kept.request_size_bytes = raw, len(raw)
    return kept


def without(name: str) -> Exchange:
    kept = exchange()
    setattr(kept, name, None)
    return kept


def of_methods(methods: str) -> list[Exchange]:
    return [exchange(number, method=method) for number, method in enumerate(methods, 1)]


def in_order(methods: str) -> list[RequestMatch]:
    return [RequestMatch(method=method) for method in methods]


def fits(match: RequestMatch, kept: Exchange) -> bool:
    return not match.differences(kept)


# --- filters ---------------------------------------------------------------------------------


def test_an_empty_filter_matches_every_request() -> None:
    assert fits(RequestMatch(), exchange())
    assert fits(RequestMatch(), Exchange("req_1", 0, "GET", "/"))


@pytest.mark.parametrize("name", FACTS)
def test_each_field_of_a_filter_must_match(name: str) -> None:
    match = RequestMatch(**{name: FACTS[name]})
    assert match.differences(exchange()) == []
    assert match.differences(exchange(**{name: OTHERS[name]})) == [
        f"{name} is {OTHERS[name]!r}, not {FACTS[name]!r}"
    ]


@pytest.mark.parametrize("name", ["api", "operation", "status", "account", "task"])
def test_a_field_without_a_value_does_not_match(name: str) -> None:
    match = RequestMatch(**{name: FACTS[name]})
    assert match.differences(without(name)) == [f"{name} is None, not {FACTS[name]!r}"]


@pytest.mark.parametrize("names", list(combinations(FACTS, 2)))
def test_all_fields_of_a_filter_must_match(names: tuple[str, str]) -> None:
    one, other = names
    match = RequestMatch(**{one: FACTS[one], other: FACTS[other]})
    assert fits(match, exchange())
    assert not fits(match, exchange(**{one: OTHERS[one]}))
    assert not fits(match, exchange(**{other: OTHERS[other]}))
    assert len(match.differences(exchange(**OTHERS))) == 2


@pytest.mark.parametrize(
    ("pattern", "path", "wanted"),
    [
        ("/api/v1/*", "/api/v1/generations/task_1", True), ("/api/v1/*", "/api/v1/", True),
        ("/api/v1/*", "/api/v2/credits", False), ("*", "/", True),
        ("*.mp4", "/media/default/a.mp4", True), ("*.mp4", "/media/default/a.mp4.txt", False),
        ("/a*c*e", "/abcde", True), ("/a*c*e", "/abcd", False),
        ("/API/v1/credits", "/api/v1/credits", False), ("/api/v1", "/api/v1/credits", False),
        ("/?", "/a", False), ("/?", "/?", True), ("/[ab]", "/a", False), ("/[ab]", "/[ab]", True),
        ("/[!a]*", "/[!a]b", True),
    ],
)  # fmt: skip
def test_only_a_star_in_a_path_stands_for_any_text(pattern: str, path: str, wanted: bool) -> None:
    assert fits(RequestMatch(path=pattern), exchange(path=path)) is wanted


BODY = {
    "model": "hailuo-pro",
    "n": 1,
    "async": True,
    "note": None,
    "a/b": {"~": [{"c": "d"}, 2.0]},
}


@pytest.mark.parametrize(
    ("pointer", "value", "wanted"),
    [
        ("/model", "hailuo-pro", True),
        ("/model", "hailuo", False),
        ("/n", 1, True),
        ("/n", 1.0, True),
        ("/n", True, False),
        ("/n", "1", False),
        ("/async", True, True),
        ("/async", 1, False),
        ("/async", False, False),
        ("/note", None, True),
        ("/absent", None, True),
        ("/absent", 0, False),
        ("/note", False, False),
        ("/a~1b/~0/0/c", "d", True),
        ("/a~1b/~0/1", 2, True),
        ("/a~1b/~0/2", 2, False),
        ("/a~1b/~0", [{"c": "d"}, 2], True),
        ("/a~1b/~0", [{"c": "d"}], False),
        ("/a~1b/~0", [{"c": "d"}, True], False),
        ("/a~1b", {"~": [{"c": "d"}, 2]}, True),
        ("/a~1b", {"~": [{"c": "d"}, 2], "e": 1}, False),
        ("", BODY, True),
        ("", BODY | {"async": 1}, False),
    ],
)
def test_a_value_in_the_body_is_compared_as_json(pointer: str, value: Any, wanted: bool) -> None:
    match = RequestMatch(body={pointer: value})
    assert fits(match, exchange(body=BODY)) is wanted


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 50_000, b"--x\r\n", b'"text"', b"5"])
def test_a_body_that_is_no_object_has_no_fields(body: bytes) -> None:
    assert not fits(RequestMatch(body={"/model": "m"}), exchange(body=body))
    assert fits(RequestMatch(method="POST"), exchange(body=body))


def test_differences_in_a_body_are_quoted_briefly() -> None:
    match = RequestMatch(body={"/a": 1, "/b": "x" * 10_000})
    first, second = match.differences(exchange(body={"a": 2, "b": "y" * 10_000}))
    assert first == "body/a is 2, not 1"
    assert len(second) < 500
    deep = b'{"a":' * 400 + b"1" + b"}" * 400
    (difference,) = RequestMatch(body={"": 5}).differences(exchange(body=deep))
    assert len(difference) < 500


def test_secrets_are_compared_but_not_quoted() -> None:
    kept, shown = exchange(body={"a": "s3cret"}), exchange(body={"a": "hidden"})
    kept.path, shown.path = "/s3cret", "/hidden"
    match = RequestMatch(path="/other", body={"/a": "wrong"})
    assert match.differences(kept, shown) == [
        "path is '/hidden', not '/other'",
        "body/a is 'hidden', not 'wrong'",
    ]
    assert RequestMatch(path="/s3cret", body={"/a": "s3cret"}).differences(kept, shown) == []


def test_matching_requests_keep_their_order() -> None:
    found = matching(of_methods("ABABA"), RequestMatch(method="A"))
    assert [kept.id for kept in found] == ["req_1", "req_3", "req_5"]


# --- counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "right", "words"),
    [
        ({}, {1, 2, 3, 4}, "at least 1"),
        ({"count": 0}, {0}, "exactly 0"),
        ({"count": 2}, {2}, "exactly 2"),
        ({"at_least": 0}, {0, 1, 2, 3, 4}, "at least 0"),
        ({"at_least": 2}, {2, 3, 4}, "at least 2"),
        ({"at_most": 0}, {0}, "at most 0"),
        ({"at_most": 2}, {0, 1, 2}, "at most 2"),
        ({"at_least": 1, "at_most": 3}, {1, 2, 3}, "at least 1 and at most 3"),
    ],
)
def test_a_count_is_as_expected_or_not(bounds: dict[str, int], right: set[int], words: str) -> None:
    wanted = Expectation(**bounds)  # type: ignore[arg-type]
    assert {number for number in range(5) if wanted.counts(number)} == right
    assert wanted.words == words


@pytest.mark.parametrize("bound", ["at_least", "at_most"])
def test_an_exact_count_excludes_other_counts(bound: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="count stands alone"):
        msgspec.convert({"count": 1, bound: 1}, Expectation)


# --- order -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "wanted", "place"),
    [
        ("ABC", "ABC", None), ("ABC", "AC", None), ("AXBXC", "ABC", None), ("ABC", "", None),
        ("", "", None), ("", "A", 0), ("ABC", "BA", 1), ("ABC", "D", 0), ("ABA", "AA", None),
        ("ABA", "AAA", 2), ("A", "AA", 1), ("BAB", "AB", None),
    ],
)  # fmt: skip
def test_the_first_request_out_of_order_is_named(came: str, wanted: str, place: int | None) -> None:
    assert first_out_of_order(of_methods(came), in_order(wanted)) == place


@given(st.text("AB", max_size=12), st.text("AB", max_size=6))
def test_an_order_is_found_exactly_if_it_is_a_subsequence(came: str, wanted: str) -> None:
    can_be_picked = any("".join(picked) == wanted for picked in combinations(came, len(wanted)))
    assert (first_out_of_order(of_methods(came), in_order(wanted)) is None) == can_be_picked


# --- near misses -----------------------------------------------------------------------------


def as_it_is(kept: Exchange) -> Exchange:
    return kept


def test_the_nearest_come_first_and_of_equally_near_ones_the_oldest() -> None:
    far = exchange(1, method="GET", status=404, api="acedata")
    near, also_near = exchange(2, status=404), exchange(3, status=500)
    right = exchange(4)
    match = RequestMatch(method="POST", status=200, api="rivya")
    misses = near_misses([far, near, also_near, right], match, as_it_is)
    assert [miss.request for miss in misses] == ["req_2", "req_3", "req_1"]
    assert [len(miss.differences) for miss in misses] == [1, 1, 3]
    assert misses[0].asked == "POST /api/v1/generations"


def test_only_the_first_violations_are_named() -> None:
    kept = [exchange(number, method="GET") for number in range(10)]
    assert len(near_misses(kept, RequestMatch(method="POST"), as_it_is)) == 3
    assert len(near_misses(kept, RequestMatch(method="POST"), as_it_is, most=5)) == 5


def test_a_near_miss_hides_secrets() -> None:
    def hidden(kept: Exchange) -> Exchange:
        return exchange(path="/hidden", body={"a": "hidden"})

    (miss,) = near_misses(
        [exchange(path="/s3cret", body={"a": "s3cret"})],
        RequestMatch(path="/b", body={"/a": 1}),
        hidden,
    )
    assert (miss.request, miss.asked) == ("req_1", "POST /hidden")
    assert "s3cret" not in "".join(miss.differences)
