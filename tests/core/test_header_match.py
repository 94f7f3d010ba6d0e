"""Matching the headers of requests, for faults and for `verify`."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.header_match import pattern_count, require_usable, unmatched, values_of
from mock_server.core.journal import Exchange, Headers, Journal
from mock_server.core.request_match import Expectation, RequestMatch, near_misses

NAMES = st.sampled_from(["X-A", "x-a", "X-B", "Idempotency-Key", "User-Agent"])
VALUES = st.text("ab1", max_size=4)
WANTED = st.dictionaries(NAMES, st.booleans() | st.sampled_from(["a", "^b", "1$", "", "^$"]))
HEADERS = st.lists(st.tuples(NAMES.map(str.encode), VALUES.map(str.encode)), max_size=6)


def matches(wanted: dict[str, bool | str], headers: Headers) -> bool:
    return not list(unmatched(wanted, headers))


def kept(headers: Headers) -> Exchange:
    exchange = Exchange("req_1", 0, "GET", "/")
    exchange.request_headers = headers
    return exchange


@given(WANTED, HEADERS)
def test_each_wanted_header_is_decided_by_itself_from_all_its_values(
    wanted: dict[str, bool | str], headers: Headers
) -> None:
    expected = []
    for name, pattern in wanted.items():
        values = [v.decode() for n, v in headers if n.decode().lower() == name.lower()]
        found = bool(values) is pattern
        if isinstance(pattern, str):
            found = any(re.search(pattern, value) for value in values)
        if not found:
            expected.append(name)
    assert list(unmatched(wanted, headers)) == expected


@given(WANTED, HEADERS, st.randoms())
def test_the_spelling_of_names_makes_no_difference(
    wanted: dict[str, bool | str], headers: Headers, chance: object
) -> None:
    def spelled(name: str) -> str:
        return "".join(chance.choice([c.lower(), c.upper()]) for c in name)  # type: ignore[attr-defined]

    for name, pattern in wanted.items():
        others = [(spelled(each.decode()).encode(), value) for each, value in headers]
        assert matches({spelled(name): pattern}, others) == matches({name: pattern}, headers)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "authorization",
        "X-API-Key",
        "Cookie",
        "X-Auth-Token",
        "Proxy-Authorization",
    ],
)
def test_a_credential_is_matched_as_present_or_absent_only(name: str) -> None:
    require_usable({name: True})
    require_usable({name: False})
    assert matches({name: True}, [(name.lower().encode(), b"Bearer k")])
    for pattern in ("", "^Bearer rvya_sk_a"):
        with pytest.raises(ValueError, match="holds a credential"):
            require_usable({name: pattern})
        with pytest.raises(ValueError, match="holds a credential"):
            RequestMatch(headers={name: pattern})


@pytest.mark.parametrize("pattern", ["(", "(?=a)", "x" * 257])
def test_a_pattern_must_be_usable(pattern: str) -> None:
    with pytest.raises(ValueError, match="X-A has no regular expression"):
        require_usable({"X-A": pattern})


def test_only_patterns_count_as_patterns() -> None:
    assert pattern_count({"a": True, "b": False, "c": "", "d": "x"}) == 2


def test_all_values_are_found_in_their_order() -> None:
    assert values_of("X-A", [(b"x-a", b"1"), (b"x-b", b"2"), (b"X-A", b"\xe4")]) == ["1", "ä"]


# --- in the journal -------------------------------------------------------------------------------


@given(WANTED, HEADERS)
def test_verify_matches_as_faults_do(wanted: dict[str, bool | str], headers: Headers) -> None:
    differences = RequestMatch(headers=wanted).differences(kept(headers))
    assert len(differences) == len(list(unmatched(wanted, headers)))
    assert all(each.startswith("header ") for each in differences)


@given(WANTED, HEADERS, st.integers(0, 300))
def test_what_cut_headers_leave_open_is_undecided(
    wanted: dict[str, bool | str], headers: Headers, max_header_bytes: int
) -> None:
    """A decision about cut headers is the same for all that may have been left out."""
    match = RequestMatch(headers=wanted)
    cut = kept(Journal(1, 0, max_header_bytes).kept_headers(headers))
    if not match.is_undecided(cut):
        assert bool(match.differences(cut)) == bool(match.differences(kept(headers)))
    if cut.request_headers == headers:
        assert not match.is_undecided(cut)


DIFFERENCES = [
    ({"X-A": True}, "header X-A is absent, not present"),
    ({"x-b": False}, "header x-b is present, not absent"),
    ({"X-B": "^a"}, "header X-B is 'two, three', without '^a'"),
    ({"X-A": "^a"}, "header X-A is absent, without '^a'"),
    ({"X-Empty": "a"}, "header X-Empty is '', without 'a'"),
]


@pytest.mark.parametrize(("wanted", "difference"), DIFFERENCES)
def test_a_near_miss_says_what_the_header_is(
    wanted: dict[str, bool | str], difference: str
) -> None:
    exchange = kept([(b"x-b", b"two"), (b"x-b", b"three"), (b"x-empty", b"")])
    (miss,) = near_misses([exchange], RequestMatch(headers=wanted), lambda each: each)
    assert miss.differences == (difference,)


def test_a_near_miss_quotes_what_is_shown_only() -> None:
    exchange, shown = kept([(b"x-b", b"secret")]), kept([(b"x-b", b"[redacted]")])
    match = Expectation(match=RequestMatch(headers={"X-B": "^other"})).match
    (miss,) = near_misses([exchange], match, lambda _: shown)
    assert miss.differences == ("header X-B is '[redacted]', without '^other'",)
