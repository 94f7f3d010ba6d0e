"""JSON as RFC 8259 has it and no looser: a body is read whole, or refused with the place."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from mock_server.core.refusals import Invalid

Path = tuple[str | int, ...]

_MAX_DIGITS = 4300  # Python's own limit; reading more would take time that grows with their square


def parse(body: bytes, *, max_depth: int) -> Any:
    """The value a body spells.

    Refuses with Invalid: text that is not UTF-8 or not JSON, NaN and Infinity, numbers too large
    to be told apart, a name twice in one object, half a surrogate pair, nesting over `max_depth`.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _not_json(f"must be UTF-8; byte {error.start} is not") from None
    try:
        value = _read(text, _strict, max_depth)
    except _Unmarked:
        _refuse_marked(_read(text, _marking, max_depth))
    # Both walks are rare: only a body that could break the rule is looked through.
    if body.count(b"[") + body.count(b"{") > max_depth and _depth(value) > max_depth:
        raise _too_deep(max_depth)
    if "\\ud" in text or "\\uD" in text:
        _refuse_half_pairs(value)
    return value


def pointer(path: Iterable[str | int]) -> str:
    """A path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands, in a value read for the second time, where something cannot be taken."""

    rule: str
    sentence: str


class _Unmarked(Exception):
    """Something cannot be taken; reading once more, with marks, tells what and where."""


def _read(text: str, decoder: json.JSONDecoder, max_depth: int) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _not_json(f"must be JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except ValueError:  # an integer of more than _MAX_DIGITS
        raise _Unmarked from None


# --- the first reading: fast, and sure that nothing is wrong ------------------------------------


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Unmarked
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Unmarked
    return number


def _no_constant(name: str) -> NoReturn:
    raise _Unmarked(name)


_strict = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_finite, parse_constant=_no_constant
)

# --- the second reading: only after a failure, for the place ------------------------------------


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    name, times = Counter(name for name, _ in pairs).most_common(1)[0] if pairs else ("", 1)
    if times > 1:
        return {name: _Mark("uniqueNames", "stands twice in one object")}
    return dict(pairs)


def _marked_float(digits: str) -> Any:
    if math.isinf(float(digits)):
        return _Mark("json", f"is too large to be told from infinity: {digits[:20]}")
    return float(digits)


def _marked_integer(digits: str) -> Any:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        return _Mark("json", f"has {len(digits)} digits; at most {_MAX_DIGITS}")
    return int(digits)


_marking = json.JSONDecoder(
    object_pairs_hook=_marked_object,
    parse_float=_marked_float,
    parse_int=_marked_integer,
    parse_constant=lambda name: _Mark("json", f"must be JSON, which has no {name}"),
)


def _refuse_marked(value: Any) -> NoReturn:
    path, mark = next((path, found) for path, found in _places(value) if isinstance(found, _Mark))
    raise Invalid.at(_writable(path), mark.rule, mark.sentence)


# --- what is wrong in a value that could be read ------------------------------------------------


def _refuse_half_pairs(value: Any) -> None:
    """Half a surrogate pair is no character: nothing could write it down again."""
    for path, found in _places(value):
        texts = [found] if isinstance(found, str) else found if isinstance(found, dict) else ()
        if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
            sentence = "has half a surrogate pair, which is no character"
            raise Invalid.at(_writable(path), "unicode", sentence)


def _depth(value: Any) -> int:
    """How many objects and arrays lie one in another."""
    depth, level = 0, [value]
    while level := [child for child in level if isinstance(child, dict | list)]:
        depth += 1
        level = [inner for child in level for _, inner in _members(child)]
    return depth


def _places(value: Any) -> Iterator[tuple[Path, Any]]:
    """Every value with its path: the outer before the inner, then in the order of the text."""
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, found = waiting.pop()
        yield path, found
        inner = [((*path, step), child) for step, child in _members(found)]
        waiting.extend(reversed(inner))


def _members(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _writable(path: Path) -> str:
    """The path as a pointer that can be sent, whatever its names are made of."""
    return pointer(path).encode(errors="replace").decode()


def _not_json(sentence: str) -> Invalid:
    return Invalid.at("", "json", sentence)


def _too_deep(max_depth: int) -> Invalid:
    return Invalid.at("", "depth", f"is nested deeper than {max_depth} levels")
