"""Reading JSON: a text as a value, and the path of a value inside another."""

from __future__ import annotations

import json
from typing import Any

JsonPath = tuple[str | int, ...]
"""The keys and indexes that lead from a JSON value to one inside it."""


def parse_json(text: bytes, default: Any = None) -> Any:
    """The value of a JSON text, or `default` if it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return default


def json_fault(text: bytes) -> str | None:
    """What makes a text no JSON for strict readers, although Python reads it; None if nothing."""
    encoding = json.detect_encoding(text)
    if encoding != "utf-8":
        return "a byte order mark" if encoding == "utf-8-sig" else encoding.upper()
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is no UTF-8"
    if b"NaN" not in text and b"Infinity" not in text:
        return None
    constants: list[str] = []
    json.loads(text, parse_constant=constants.append)
    return constants[0] if constants else None


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: 1 and 1.0 are, true and 1 are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def pointer_of(path: JsonPath) -> str:
    """The path as a JSON Pointer. Keys of the contract need no escaping."""
    return "/" + "/".join(map(str, path))


def value_at(value: Any, path: JsonPath) -> Any:
    """The value at a path. KeyError or IndexError if there is none."""
    for step in path:
        value = value[step]
    return value
