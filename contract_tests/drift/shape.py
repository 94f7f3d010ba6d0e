"""The shape of a JSON value: every place in it, and what stood there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


def type_of(value: Any) -> str:
    """The JSON type of a value."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


def places(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every place with its value; items of an array share one place, `[]`."""
    yield name, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from places(item, f"{name}[]")


def shape_of(value: Any) -> dict[str, str]:
    """The types at every place, joined where there are several."""
    types: dict[str, set[str]] = {}
    for name, found in places(value):
        types.setdefault(name, set()).add(type_of(found))
    return {name: "|".join(sorted(found)) for name, found in types.items()}
