"""Computes the shape of a JSON value: the types at every path in it."""

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


def values_by_path(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every path with its value. The items of an array share one path, `[]`."""
    yield name, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from values_by_path(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from values_by_path(item, f"{name}[]")


def shape_of(value: Any) -> dict[str, str]:
    """The types at every path, joined by `|`."""
    types: dict[str, set[str]] = {}
    for name, found in values_by_path(value):
        types.setdefault(name, set()).add(type_of(found))
    return {name: "|".join(sorted(found)) for name, found in types.items()}
