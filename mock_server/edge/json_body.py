"""JSON as RFC 8259 has it and no looser: a body is read whole, or refused with the place."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from mock_server.core.refusals import Invalid


def parse(body: bytes, *, max_depth: int) -> Any:
    """The value a body spells.

    Refuses with Invalid: text that is not UTF-8 or not JSON, NaN and Infinity, numbers too large
    to be told apart, a name twice in one object, half a surrogate pair, nesting over `max_depth`.
    """
    try:
        text = body.decode()
        value = _strict.decode(text)
    except UnicodeDecodeError as error:
        raise _not_json(f"must be UTF-8; byte {error.start} is not") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _not_json(f"must be JSON: {error.msg} at {place}") from None
    except _NameTwice:
        raise _name_twice(text) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    except ValueError:  # an integer of thousands of digits
        raise _not_json("has a number with more digits than anybody reads") from None
    # Both walks are rare: only a body that could break the rule is looked through.
    if body.count(b"[") + body.count(b"{") > max_depth and _depth(value) > max_depth:
        raise _too_deep(max_depth)
    if "\\ud" in text or "\\uD" in text:
        _refuse_half_pairs(value)
    return value


def pointer(path: Iterable[str | int]) -> str:
    """A path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class _NameTwice(Exception):
    """A name stands twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NameTwice
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _not_json(f"must be JSON, which has no {name}")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _not_json(f"has a number too large to be told from infinity: {digits[:20]}")
    return number


_strict = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
)


def _not_json(sentence: str) -> Invalid:
    return Invalid.at("", "json", sentence)


def _too_deep(max_depth: int) -> Invalid:
    return Invalid.at("", "depth", f"is nested deeper than {max_depth} levels")


def _depth(value: Any) -> int:
    """How many objects and arrays lie one in another, without recursion."""
    depth, level = 0, [value]
    while level := [child for child in level if isinstance(child, dict | list)]:
        depth += 1
        level = [inner for child in level for inner in _children(child)]
    return depth


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value with its path, outermost first."""
    yield path, value
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for step, child in members if isinstance(value, dict | list) else ():
        yield from _places(child, (*path, step))


def _refuse_half_pairs(value: Any) -> None:
    """Half a surrogate pair is no character: nothing could write it down again."""
    for path, found in _places(value):
        texts = [found] if isinstance(found, str) else found if isinstance(found, dict) else ()
        if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
            place = pointer(str(step).encode(errors="replace").decode() for step in path)
            raise Invalid.at(place, "unicode", "has half a surrogate pair, which is no character")


def _name_twice(text: str) -> Invalid:
    """Read once more, slowly, for the place."""
    twice: dict[int, str] = {}

    def note_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            twice[id(members)] = Counter(name for name, _ in pairs).most_common(1)[0][0]
            alive.append(members)
        return members

    alive: list[Any] = []
    for path, found in _places(json.loads(text, object_pairs_hook=note_twice)):
        if id(found) in twice:
            name = twice[id(found)]
            return Invalid.at(pointer((*path, name)), "uniqueNames", "stands twice in one object")
    # A repeated name swallowed the object that had the repetition.
    return Invalid.at("", "uniqueNames", "has a name that stands twice in one object")
