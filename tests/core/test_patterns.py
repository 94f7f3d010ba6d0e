"""Patterns of callers: their matches, their refusals, and their time."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.patterns import (
    MAX_PATTERN_CHARS,
    MAX_SEARCHED_CHARS,
    BadPattern,
    is_found,
    matches_wildcard,
    require_pattern,
)

LONGEST_S = 0.05
MEGABYTE = 1024 * 1024
SLOW_ELSEWHERE = [
    "^(a+)+$", "(a|a)*$", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", r"(\w+\s?)+$", "(.*)*x",
    "(a*)*b", "(x+x+)+y", "(?:a?){50}a{50}", r"^(\d+)+$", "(?i)(a+)+$", ".*.*.*.*.*.*=",
    "[ab]*a[ab]{100}c", "[ab]*a[ab]{800}c", "(((a?b?){5}){5}){5}c", "(a|ab|b|ba|aab|bba){30}c",
    ".*a.{60}c", r"\s+$", "(?s).*(?s).*(?s).*x$",
]  # fmt: skip
DEAR_TO_COMPILE = [
    "(a{1000}){1000}", "((a{100}){100}){100}", r"\p{L}{9999}", "x" * MEGABYTE, "(" * MEGABYTE,
    "(?i)" + "[a-\U0010ffff]" * 50, "(?i)" + r"\p{any}" * 40, "(?s-i:" + "[b-z]" * 49 + ")",
    "(?i)" + r"\W" * 126, r"\p{L}|" * 42, "(?:" * 64 + ")" * 64, "[" * 256, "a?" * 128,
]  # fmt: skip
TEXTS = [
    "a" * 40 + "!", "a" * MEGABYTE, "ab" * (MEGABYTE // 2), "aab" * (MEGABYTE // 3),
    " " * MEGABYTE + "x", "\N{GRINNING FACE}" * (MEGABYTE // 4), "é" * (MEGABYTE // 2), "",
]  # fmt: skip


def spent_s(work: Callable[[], object]) -> float:
    """The least processor time of three runs, because the machine may be busy."""

    def once() -> float:
        began = thread_time()
        with suppress(BadPattern):
            work()
        return thread_time() - began

    return min(once() for _ in range(3))


@pytest.mark.parametrize(
    ("pattern", "char", "is_matched"),
    [("^.$", "\r", True), ("^.$", "\n", False), ("(?s)^.$", "\n", True), ("^(?s:.)$", "\n", True)],
)
def test_a_dot_is_any_character_but_a_line_feed_unless_a_flag_says_so(
    pattern: str, char: str, is_matched: bool
) -> None:
    assert is_found(pattern, char) is is_matched


@pytest.mark.parametrize("pattern", [*SLOW_ELSEWHERE, *DEAR_TO_COMPILE], ids=lambda each: each[:24])
def test_no_pattern_takes_long_whatever_the_text(pattern: str) -> None:
    assert spent_s(lambda: require_pattern(pattern)) < LONGEST_S
    for text in TEXTS:
        assert spent_s(lambda text=text: is_found(pattern, text)) < LONGEST_S  # type: ignore[misc]


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "", True), ("red", "A red fox", True), ("^red", "A red fox", False),
        ("(?i)ball(oo)?n$", "A BALLOON", True), ("fox|dog", "A dog", True),
        (r"\bfox\b", "foxes", False), ("^$", "", True), ("^(a+)+$", "a" * 40, True),
        ("^(a+)+$", "a" * 40 + "!", False), ("a.c", "a\nc", False), ("é", "café", True),
        ("fox", "half of a pair \ud800, then a fox", True),
        ("fox", "x" * (MAX_SEARCHED_CHARS - 3) + "fox", True),
        ("fox", "x" * (MAX_SEARCHED_CHARS - 2) + "fox", False),
    ],
)  # fmt: skip
def test_a_pattern_is_searched_for_in_the_beginning_of_a_text(
    pattern: str, text: str, found: bool
) -> None:
    assert is_found(pattern, text) is found


@given(st.text("ab(|)*+?.^$", max_size=8), st.text("ab\n", max_size=6))
def test_both_engines_find_a_pattern_in_the_same_texts(pattern: str, text: str) -> None:
    try:
        expected = re.search(pattern.replace("$", r"\Z"), text) is not None
        found = is_found(pattern, text)
    except (BadPattern, re.error):
        return
    # Python has possessive quantifiers since 3.11; here `a++` is the same as `a+`.
    if not re.search(r"[*+?]\+", pattern):
        assert found is expected


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "not closed"), ("[a", "not closed"), ("*a", "not closed, not known"),
        (r"\Z", "not known"), ("\ud800", "not known"), ("(a{1000}){1000}", "too large"),
        ("(?=a)", "look-around"), ("(?!a)", "look-around"), ("(?<=a)b", "look-around"),
        ("(?<!a)b", "look-around"), (r"(a)\1", "back reference"),
        ("(?P<x>a)(?P=x)", "back reference"),
        ("x" * (MAX_PATTERN_CHARS + 1), f"at most {MAX_PATTERN_CHARS}"),
        ("(?i)" + "[a-z]" * 9, "more than 8 sets"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        require_pattern(pattern)
    with pytest.raises(BadPattern, match=why):
        is_found(pattern, "a")


# --- wildcards -------------------------------------------------------------------------------


@given(st.text("ab*", max_size=12), st.text("ab", max_size=12))
def test_a_star_stands_for_any_text(pattern: str, text: str) -> None:
    spelled = ".*".join(map(re.escape, pattern.split("*")))
    assert matches_wildcard(pattern, text) is (re.fullmatch(spelled, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("/a/*", "/a/", True), ("/a/*/c", "/a/b/c", True), ("/a*a", "/a", False),
        ("a?[b]", "a?[b]", True), ("a?", "ab", False), ("*\n*", "a\nb", True),
    ],
)  # fmt: skip
def test_no_other_character_is_special(pattern: str, text: str, fits: bool) -> None:
    assert matches_wildcard(pattern, text) is fits


@pytest.mark.parametrize("pattern", ["*a" * 4000 + "b", "a*" * 4000, "*" * 8192, "*ab" * 2700])
def test_no_wildcard_takes_long(pattern: str) -> None:
    for text in ("a" * 65536, "ab" * 32768):
        assert spent_s(lambda text=text: matches_wildcard(pattern, text)) < LONGEST_S  # type: ignore[misc]
