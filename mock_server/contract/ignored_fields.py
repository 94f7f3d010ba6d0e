"""Finds the fields of a valid body that its schema does not have: often spelling mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from mock_server.core.journal import IgnoredField
from mock_server.core.json_values import pointer
from mock_server.core.suggestions import nearest

_MAX_REPORTED = 5
_MAX_CHARS = 100


class KnownFields:
    """The fields that a schema has at each place of a body."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._top = _Level(schema)
        self._pointers = dict(reversed(list(self._top.pointers())))

    def ignored_in(self, body: Any) -> tuple[IgnoredField, ...]:
        """The first _MAX_REPORTED unknown fields, each with the field that was probably meant."""
        if self._top.knows_all_of(body):
            return ()
        unknown = islice(self._top.unknown_in(body), _MAX_REPORTED)
        return tuple(
            IgnoredField(pointer(_short(step) for step in path), self._hint(path, level))
            for path, level in unknown
        )

    def without_ignored(self, body: Any) -> Any:
        """The body without its unknown fields."""
        return self._top.known_in(body)

    def _hint(self, path: tuple[str | int, ...], level: _Level) -> str | None:
        """A field with a similar name: in the same object, else anywhere in the body."""
        name = str(path[-1])
        if (beside := nearest(name, level.fields)) is not None:
            return f"did you mean '{pointer((*path[:-1], beside))}'?"
        if (elsewhere := nearest(name, self._pointers)) is not None:
            return f"did you mean '{self._pointers[elsewhere]}'?"
        return None


class _Level:
    """The known fields of an object, or the items of an array.
    plain: the fields that contain no fields or items."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        parts = [schema, *schema.get("allOf", ())]
        self.fields = {
            name: _Level(inner)
            for part in parts
            for name, inner in part.get("properties", {}).items()
            if inner.get("not") != {}  # such a field is always refused
        }
        items = schema.get("items")
        self.items = None if items is None else _Level(items)
        self.plain = {
            name for name, inner in self.fields.items() if not inner.fields and inner.items is None
        }

    def pointers(self, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
        """Name and pointer of every field outside of arrays, the outer ones first."""
        for name in self.fields:
            yield name, pointer((*path, name))
        for name, inner in self.fields.items():
            yield from inner.pointers((*path, name))

    def knows_all_of(self, value: Any) -> bool:
        """Whether the value has no unknown field. Faster than `unknown_in`."""
        if isinstance(value, dict) and self.fields:
            for name, each in value.items():
                if name in self.plain:
                    continue
                if name not in self.fields or not self.fields[name].knows_all_of(each):
                    return False
            return True
        if isinstance(value, list) and self.items is not None:
            return all(map(self.items.knows_all_of, value))
        return True

    def unknown_in(
        self, value: Any, path: tuple[str | int, ...] = ()
    ) -> Iterator[tuple[tuple[str | int, ...], _Level]]:
        """The path of each unknown field, and the level that does not have it."""
        if isinstance(value, dict) and self.fields:
            for name, inner in value.items():
                if name not in self.fields:
                    yield (*path, name), self
                elif name not in self.plain:
                    yield from self.fields[name].unknown_in(inner, (*path, name))
        elif isinstance(value, list) and self.items is not None:
            for place, inner in enumerate(value):
                yield from self.items.unknown_in(inner, (*path, place))

    def known_in(self, value: Any) -> Any:
        """The value without its unknown fields."""
        if isinstance(value, dict) and self.fields:
            return {
                name: self.fields[name].known_in(inner)
                for name, inner in value.items()
                if name in self.fields
            }
        if isinstance(value, list) and self.items is not None:
            return [self.items.known_in(inner) for inner in value]
        return value


def _short(step: str | int) -> str | int:
    """The step of a path; a long name is cut."""
    return f"{step[:_MAX_CHARS]}…" if isinstance(step, str) and len(step) > _MAX_CHARS else step
