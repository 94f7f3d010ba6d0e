"""Regular expressions and wildcards of callers, matched in time that grows with the text alone.

Python's `re` tries one way after another: `^(a+)+$` takes years for 40 letters. Here a regular
expression is compiled by an engine that follows all ways at once. It comes with the library that
holds bodies against schemas, and is asked as a schema with nothing but a `pattern`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jsonschema_rs import Draft202012Validator, RegexOptions

MAX_PATTERN_CHARS = 256
MAX_SEARCHED_CHARS = 2048
"""How much of a text is searched. Together with the size below it bounds the time: about 10 ms."""

_MAX_SETS_WITHOUT_CASE = 8
"""Each set of characters may take 3 ms to compile if case is ignored, whatever its size."""

_OPTIONS = RegexOptions(size_limit=64 * 1024, dfa_size_limit=64 * 1024)
_IGNORES_CASE = re.compile(r"\(\?[a-zA-Z-]*i")
_SET = re.compile(r"\[|\\[pP]")
_UNSUPPORTED = re.compile(r"\(\?<?[=!]|\\[1-9]|\(\?P=")


class BadPattern(ValueError):
    """This regular expression cannot be used. The message says why, as the end of a sentence."""


def require_pattern(pattern: str) -> None:
    """Refuses with BadPattern what is no regular expression, or one that could take long."""
    _compiled(pattern)


def is_found(pattern: str, text: str) -> bool:
    """Whether a pattern occurs in the first MAX_SEARCHED_CHARS characters of a text.

    Refuses as `require_pattern` does.
    """
    return _is_found(pattern, text[:MAX_SEARCHED_CHARS])


@lru_cache(maxsize=256)
def _is_found(pattern: str, searched: str) -> bool:
    """Kept for a while: each request is held against the same pattern several times."""
    try:
        return _compiled(pattern).is_valid(searched)
    except UnicodeEncodeError:  # half of a surrogate pair: no such text can be sent as UTF-8
        return _compiled(pattern).is_valid(searched.encode("utf-8", "replace").decode())


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Draft202012Validator:
    if len(pattern) > MAX_PATTERN_CHARS:
        raise BadPattern(f"has {len(pattern)} characters; at most {MAX_PATTERN_CHARS}")
    if _IGNORES_CASE.search(pattern) and len(_SET.findall(pattern)) > _MAX_SETS_WITHOUT_CASE:
        most = _MAX_SETS_WITHOUT_CASE
        raise BadPattern(f"ignores case with more than {most} sets of characters ([...] or \\p)")
    try:
        return Draft202012Validator({"pattern": pattern}, pattern_options=_OPTIONS)
    except ValueError:  # its own words are about schemas
        raise BadPattern(_why_not(pattern)) from None


def _why_not(pattern: str) -> str:
    if _UNSUPPORTED.search(pattern):
        return "has look-around or a back reference, which take too long: use neither"
    return "is not closed, not known, or too large when its repetitions are written out"


def fits_wildcard(pattern: str, text: str) -> bool:
    """Whether a whole text is like a pattern in which each `*` stands for anything or nothing."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *middle, last = others
    if not text.startswith(first):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return at <= end and text.endswith(last)
