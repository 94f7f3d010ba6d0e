"""Regular expressions and wildcards of callers, matched in a time that depends on the text alone.

Python's `re` backtracks: `^(a+)+$` takes years for 40 letters. Here a regular expression runs in
the linear-time engine of the JSON Schema library, as a schema with only a `pattern`.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

MAX_PATTERN_CHARS = 256
MAX_SEARCHED_CHARS = 2048
"""The searched part of a text. This and the size limit below limit the time to about 10 ms."""

_MAX_SETS_WITHOUT_CASE = 8
"""If case is ignored, each set of characters may take 3 ms to compile."""

_MOST_BYTES = 64 * 1024
"""The maximum size of a compiled pattern, and of the states that its search keeps."""
_IGNORES_CASE = re.compile(r"\(\?[a-zA-Z-]*i")
_SET = re.compile(r"\[|\\[pP]")
_UNSUPPORTED = re.compile(r"\(\?<?[=!]|\\[1-9]|\(\?P=")


class BadPattern(ValueError):
    """This regular expression cannot be used. The message is the end of a sentence."""


def require_pattern(pattern: str) -> None:
    """Raises BadPattern for text that is no regular expression, or one that could take long."""
    _compiled(pattern)


def is_found(pattern: str, text: str) -> bool:
    """Whether a pattern occurs in the first MAX_SEARCHED_CHARS of a text. Raises BadPattern."""
    return _is_found(pattern, text[:MAX_SEARCHED_CHARS])


@lru_cache(maxsize=256)
def _is_found(pattern: str, searched: str) -> bool:
    """Cached, because each request is matched several times against the same pattern."""
    try:
        return _compiled(pattern).is_valid(searched)
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot encode
        return _compiled(pattern).is_valid(searched.encode("utf-8", "replace").decode())


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> "Draft202012Validator":
    from jsonschema_rs import Draft202012Validator, RegexOptions  # few servers have patterns

    if len(pattern) > MAX_PATTERN_CHARS:
        raise BadPattern(f"has {len(pattern)} characters; at most {MAX_PATTERN_CHARS}")
    if _IGNORES_CASE.search(pattern) and len(_SET.findall(pattern)) > _MAX_SETS_WITHOUT_CASE:
        most = _MAX_SETS_WITHOUT_CASE
        raise BadPattern(f"ignores case with more than {most} sets of characters ([...] or \\p)")
    try:
        options = RegexOptions(size_limit=_MOST_BYTES, dfa_size_limit=_MOST_BYTES)
        return Draft202012Validator({"pattern": pattern}, pattern_options=options)
    except ValueError:  # its message is about schemas
        reason = "is not closed, not known, or too large when its repetitions are written out"
        if _UNSUPPORTED.search(pattern):
            reason = "has look-around or a back reference, which take too long: use neither"
        raise BadPattern(reason) from None


def matches_wildcard(pattern: str, text: str) -> bool:
    """Whether a whole text matches a pattern in which each `*` stands for any text."""
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
