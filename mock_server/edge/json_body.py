"""Reads JSON strictly (RFC 8259). A refusal names the place of the error.

msgspec reads every body, here and when a stored body is read again. Only if it fails, a second,
slower parser looks for the place.
"""

import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Struct

from mock_server.core.json_values import pointer
from mock_server.core.refusals import Invalid

Path = tuple[str | int, ...]

EMPTY = "the body is empty"

_MAX_DIGITS = 500  # the time to read or write an integer grows with their square


def parse(body: bytes, *, max_depth: int, max_values: int | None = None) -> Any:
    """The value of a JSON body. `msgspec.json` can write it and read it again unchanged.
    Refuses with Invalid: text that is not UTF-8 or not JSON, NaN and Infinity, numbers that do not
    fit, a repeated name in one object, half a surrogate pair, nesting over `max_depth`, more than
    `max_values` values."""
    _refuse_too_much(body, max_depth, max_values)
    if len(body) > _MAX_DIGITS and _TOO_LONG in body.translate(_DIGITS_ALIKE):
        _refuse_by_place(body, max_depth)  # unless the digits are in a string
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        _refuse_by_place(body, max_depth)
        raise not_json("must be JSON") from None
    if _may_repeat_names(body, value):
        _refuse_by_place(body, max_depth)
    return value


# --- depth and number of values, counted before parsing ------------------------------------------

_SIGNED = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


def _refuse_too_much(body: bytes, max_depth: int, max_values: int | None) -> None:
    """Refuses with Invalid a body with too much nesting or too many values, JSON or not."""
    opened = body.count(b"[") + body.count(b"{")
    # Each value has a byte, so short bodies have few.
    if opened <= max_depth and (
        max_values is None or len(body) <= max_values or opened + body.count(b",") + 1 <= max_values
    ):
        return
    marks = _without_texts(body)
    if max_values is not None and _count_values(marks) > max_values:
        raise Invalid.at("", "values", f"has more than {max_values} values (limits.json_values)")
    # An opening bracket is 1, a closing one -1: the running sum is the depth.
    if max(accumulate(array("b", marks.translate(_SIGNED, _NO_BRACKET))), default=0) > max_depth:
        raise too_deep(max_depth)


def _without_texts(body: bytes) -> bytes:
    """The body with a quotation mark for each string, so that all brackets are JSON's own."""
    return b'"'.join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])


def _count_values(marks: bytes) -> int:
    """How many values there are: one, plus one for each array or object that is not empty, plus
    one for each comma."""
    bare = marks.translate(None, b" \t\n\r")
    empty = bare.count(b"[]") + bare.count(b"{}")
    return 1 + bare.count(b"[") + bare.count(b"{") - empty + bare.count(b",")


# --- what msgspec accepts and RFC 8259 does not -------------------------------------------------

_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_TOO_LONG = b"0" * (_MAX_DIGITS + 1)


def _may_repeat_names(body: bytes, value: Any) -> bool:
    """Whether an object may have a repeated name: the value then has fewer colons than the body."""
    colons = body.count(b":")
    return colons > 1 and (
        body.find(b"\\u003") >= 0  # \u003a is a colon; `in` makes and drops an exception first
        or msgspec.json.encode(value).count(b":") != colons
    )


# --- the second parser: finds the place of an error ---------------------------------------------


class _Mark(Struct, frozen=True):
    """A placeholder, in a value of the second parser, for something that is refused."""

    rule: str
    sentence: str


def text_of(body: bytes | bytearray) -> str:
    """The text of a body. Refuses with Invalid other encodings, and a byte order mark."""
    if body.startswith(_UTF8_MARK):
        mark = "there is a byte order mark (EF BB BF), which JSON does not have,"
        raise not_json(f"must be JSON: {mark} at line 1, column 1")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        like = next((f"; it looks like {name}" for first, name in _LIKE if body[:2] == first), "")
        raise not_json(f"must be UTF-8; byte {error.start} is not{like}") from None


_UTF8_MARK = b"\xef\xbb\xbf"
_LIKE = (
    (b"\x1f\x8b", "gzip, which is not read here"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
"""Formats that are not UTF-8, by their first two bytes."""


def _refuse_by_place(body: bytes, max_depth: int) -> None:
    """Refuses with Invalid at the first place with an error; returns if there is none."""
    text = text_of(body)
    try:
        value = _marking.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise not_json(f"must be JSON: {explanation(text, error)} at {place}") from None
    except RecursionError:
        raise too_deep(max_depth) from None
    if (found := _find_mark([value])) is not None:
        (_, *path), mark = found
        place = pointer(path).encode(errors="replace").decode()  # names may have half pairs
        raise Invalid.at(place, mark.rule, mark.sentence)


def explanation(text: str, error: json.JSONDecodeError) -> str:
    """A sentence for a common mistake; else the parser's message."""
    if not text.strip():
        return EMPTY
    if "\0" in text[:4]:
        return "there are NULs in it: it looks like UTF-16 or UTF-32, and must be UTF-8,"
    before, after = text[: error.pos].rstrip()[-1:], text[error.pos :].lstrip()[:9]
    # Python versions report a trailing comma at the comma, or after it.
    if before == "," or after[:1] == ",":
        follows = after.removeprefix(",").lstrip()[:1]
        if follows in {"}", "]"}:
            return f"there is a comma before the '{follows}'"
    if after[:1] == "'":
        return "strings and names need double quotes, not single ones"
    if after[:2] in {"//", "/*"}:
        return "JSON has no comments"
    if (word := next((word for word in _PYTHON if after.startswith(word)), None)) is not None:
        return f"it is spelled {_PYTHON[word]}, not {word}"
    return error.msg


_PYTHON = {"None": "null", "True": "true", "False": "false", "undefined": "null"}


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
    return {name: _Mark("uniqueNames", "occurs twice in one object")}


def _marked_float(digits: str) -> Any:
    if math.isinf(float(digits)):
        return _Mark("json", f"is too large for a 64-bit float: {digits[:20]}")
    return float(digits)


def _marked_integer(digits: str) -> Any:
    length = len(digits.lstrip("-"))
    if length > _MAX_DIGITS:
        return _Mark("json", f"has {length} digits; at most {_MAX_DIGITS}")
    return int(digits)


_marking = json.JSONDecoder(
    object_pairs_hook=_marked_object,
    parse_float=_marked_float,
    parse_int=_marked_integer,
    parse_constant=lambda name: _Mark("json", f"must be JSON, which has no {name}"),
)

_HALF_A_PAIR = _Mark("unicode", "has half a surrogate pair, which is no character")


def _find_mark(value: Any) -> tuple[Path, _Mark] | None:
    """The path of the first mark, in the order of the text, the outer before the inner."""
    if isinstance(value, _Mark):
        return (), value
    if isinstance(value, str):
        return None if _is_whole(value) else ((), _HALF_A_PAIR)
    members: Iterable[tuple[str | int, Any]]
    if isinstance(value, dict):
        if not all(map(_is_whole, value)):
            return (), _HALF_A_PAIR
        members = value.items()
    else:
        members = enumerate(value)
    for step, child in members:
        if not isinstance(child, int | float | None) and (found := _find_mark(child)) is not None:
            path, mark = found
            return (step, *path), mark
    return None


def _is_whole(text: str) -> bool:
    """Whether a string has no half of a surrogate pair, which UTF-8 cannot encode."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_json(sentence: str) -> Invalid:
    """The refusal of a body that is not JSON."""
    return Invalid.at("", "json", sentence)


def too_deep(max_depth: int) -> Invalid:
    """The refusal of a body with too much nesting."""
    return Invalid.at("", "depth", f"is nested deeper than {max_depth} levels")
