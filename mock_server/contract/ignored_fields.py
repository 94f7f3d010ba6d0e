"""Which fields of a right body nobody looks at: often a slip, and an expensive one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from mock_server.core.journal import IgnoredField
from mock_server.core.json_pointer import pointer
from mock_server.core.suggestions import nearest

_MOST_TOLD = 5
_MOST_CHARS = 100


class KnownFields:
    """The fields that a schema has, at each place of a body."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._top = _Level(schema)
        self._places = dict(reversed(list(self._top.places())))

    def ignored_in(self, body: Any) -> tuple[IgnoredField, ...]:
        """The first few fields that the schema does not have, each with what was probably meant."""
        if isinstance(body, dict) and body.keys() <= self._top.plain:
            return ()
        strangers = islice(self._top.strangers_in(body), _MOST_TOLD)
        return tuple(
            IgnoredField(pointer(_short(step) for step in path), self._hint(path, level))
            for path, level in strangers
        )

    def without_ignored(self, body: Any) -> Any:
        """The body without the fields that the schema does not have."""
        return self._top.known_in(body)

    def _hint(self, path: tuple[str | int, ...], level: _Level) -> str | None:
        """The field beside it that has nearly this name, else the one elsewhere."""
        name = str(path[-1])
        if (beside := nearest(name, level.fields)) is not None:
            return f"did you mean '{pointer((*path[:-1], beside))}'?"
        if (elsewhere := nearest(name, self._places)) is not None:
            return f"did you mean '{self._places[elsewhere]}'?"
        return None


class _Level:
    """An object of a schema, or the items of an array: what is known of the values inside."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        parts = [schema, *schema.get("allOf", ())]
        self.fields = {
            name: _Level(inner)
            for part in parts
            for name, inner in part.get("properties", {}).items()
            if inner.get("not") != {}  # named only to be refused
        }
        items = schema.get("items")
        self.items = None if items is None else _Level(items)
        self.plain = {
            name for name, inner in self.fields.items() if not inner.fields and inner.items is None
        }

    def places(self, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
        """Every field outside of arrays: its name and its pointer, the outer ones first."""
        for name in self.fields:
            yield name, pointer((*path, name))
        for name, inner in self.fields.items():
            yield from inner.places((*path, name))

    def strangers_in(
        self, value: Any, path: tuple[str | int, ...] = ()
    ) -> Iterator[tuple[tuple[str | int, ...], _Level]]:
        """The path of each field that is not known, and the level it should have been known at."""
        if isinstance(value, dict) and self.fields:
            for name, inner in value.items():
                if name not in self.fields:
                    yield (*path, name), self
                elif name not in self.plain:
                    yield from self.fields[name].strangers_in(inner, (*path, name))
        elif isinstance(value, list) and self.items is not None:
            for place, inner in enumerate(value):
                yield from self.items.strangers_in(inner, (*path, place))

    def known_in(self, value: Any) -> Any:
        """The value without the fields that are not known."""
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
    return f"{step[:_MOST_CHARS]}…" if isinstance(step, str) and len(step) > _MOST_CHARS else step
