"""Places in JSON documents (JSON Pointer, RFC 6901), and equality of JSON values."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from mock_server.core.field_types import form

T = TypeVar("T")
Pointer = Annotated[
    str, form("^(/.*)?$", "must be a JSON Pointer: empty, or with a / at its beginning")
]

_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def pointer(path: Iterable[str | int]) -> str:
    """A path as a JSON Pointer."""
    return "".join(["/" + str(step).replace("~", "~0").replace("/", "~1") for step in path])


def steps(pointer: str) -> list[str]:
    """The path of a JSON Pointer that is not empty."""
    return [
        step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/")
    ]


def numbered(place: str, items: Iterable[T]) -> Iterator[tuple[str, T]]:
    """Each item of the list at a JSON Pointer, with its own pointer."""
    return ((f"{place}/{number}", item) for number, item in enumerate(items))


def value_at(document: Any, pointer: str) -> Any:
    """The value at a JSON Pointer; None if there is none."""
    for step in steps(pointer) if pointer else ():
        document = _member(document, step)
    return document


def owner_at(document: Any, pointer: str) -> tuple[Any, str]:
    """The value that contains the place of a JSON Pointer, None if there is none; and the name of
    the place in it."""
    *path, name = steps(pointer)
    for step in path:
        document = _member(document, step)
    return document, name


def set_at(document: Any, pointer: str, value: Any) -> None:
    """Set a member of an object or replace an item of a list; other places are left alone."""
    owner, name = owner_at(document, pointer)
    if isinstance(owner, dict):
        owner[name] = value
    elif _has_item(owner, name):
        owner[int(name)] = value


def add_missing(document: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add the members of `more` that an object and the objects in it do not have."""
    for name, value in more.items():
        own = document.get(name)
        if name not in document:
            document[name] = copy_of(value)
        elif isinstance(own, dict) and isinstance(value, dict):
            add_missing(own, value)


def copy_of(value: Any) -> Any:
    """The same JSON value, which shares no object or list with this one."""
    return msgspec.json.decode(msgspec.json.encode(value))


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            is_same_json(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return bool(one == other)


def _member(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    return value[int(step)] if _has_item(value, step) else None


def _has_item(value: Any, index: str) -> bool:
    """Whether it is a list with this index: digits without a leading zero (RFC 6901)."""
    return (
        isinstance(value, list) and _INDEX.fullmatch(index) is not None and int(index) < len(value)
    )
