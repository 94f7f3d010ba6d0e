"""A valid request body, broken at one place in every way its schema forbids; and its valid kin.

Deterministic, so that a run can be repeated without a seed: each keyword of the schema is broken
once or a few times. What the schema does not refuse after all is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from contract_tests.contract import Api, Contract
from contract_tests.promises import promises

_LEFT_OUT = object()
_OF_OTHER_TYPES: Mapping[str, tuple[Any, ...]] = {
    "string": (1, True, ["text"], {"a": "b"}, None),
    "boolean": ("true", 1, None),
    "integer": ("1", 1.5, None),
    "number": ("1", None),
    "array": ("text", {"0": "a"}, None),
    "object": ("text", ["a"], None),
}
_BAD_TEXTS = (
    "", "   ", "\t\n\u3000", "nothing of the kind", "ftp://example.com/a.png",
    "//example.com/a.png",
    "data:image/png;base64,iVBORw0KGgo=", "https://", "https://exa mple.com/", "javascript:1",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A body and what was done to it. row: the promise that speaks of the place."""

    row: str
    what: str
    body: Any


Step = str | int
Path = tuple[Step, ...]


class Mutations:
    """Bodies near one valid body of one schema. `whole` is all that the operation accepts."""

    def __init__(self, read: Contract, api: Api, schema: Mapping[str, Any], valid: Any) -> None:
        self._read, self._api, self._schema, self._valid = read, api, schema, valid
        self._title = schema["title"].partition(" ")[0]
        self._whole = read.validator(read.document["components"]["schemas"][self._title])

    def invalid(self) -> Iterator[Mutation]:
        """Every body that is refused because of one keyword."""
        for row, keyword, path, value in self._broken(self._schema, self._valid, (), self._title):
            body = _with(self._valid, path, value)
            if not self._whole.is_valid(body):
                shown = "/" + "/".join(map(str, path))
                yield Mutation(self._row(row), f"{keyword} of {shown}", body)

    def valid(self) -> Iterator[Mutation]:
        """The body, without each part it can do without, and with each option there is."""
        yield Mutation(f"{self._api}.rule.takes-what-is-valid", "as it is", self._valid)
        for row, what, path, value in self._kept(self._schema, self._valid, (), self._title):
            body = _with(self._valid, path, value)
            if self._whole.is_valid(body):
                yield Mutation(self._row(row), f"{what} of /{'/'.join(map(str, path))}", body)

    def _row(self, name: str) -> str:
        """The nearest promise above a place."""
        row = f"{self._api}.{name}"
        while row not in promises() and "." in row:
            row = row.rpartition(".")[0]
        return row if row in promises() else f"{self._api}.rule.refuses-what-is-invalid"

    # --- breaking ---

    def _broken(
        self, schema: Any, value: Any, at: Path, name: str
    ) -> Iterator[tuple[str, str, Path, Any]]:
        """Row, keyword, place and value of everything that can be broken from here on."""
        for part, its_name in self._parts(schema, name):
            for keyword, bad in _bad_values(part, value):
                yield its_name, keyword, at, bad
            if isinstance(value, dict):
                yield from self._broken_object(part, value, at, its_name)
            if isinstance(value, list) and value and "items" in part:
                yield from self._broken(part["items"], value[0], (*at, 0), f"{its_name}[]")

    def _broken_object(
        self, schema: Any, value: dict[str, Any], at: Path, name: str
    ) -> Iterator[tuple[str, str, Path, Any]]:
        for key in schema.get("required", ()):
            yield f"{name}.{key}", "required", (*at, key), _LEFT_OUT
        for key, inner in schema.get("properties", {}).items():
            if inner.get("not") == {}:
                yield f"{name}.{key}", "not", (*at, key), ["file_1"]
            elif key in value:
                yield from self._broken(inner, value[key], (*at, key), f"{name}.{key}")
        if schema.get("additionalProperties") is False:
            yield name, "additionalProperties", (*at, "undocumented"), "x"

    def _parts(self, schema: Any, name: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """The schema itself and all that it refers to, each with the name it has there."""
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            yield from self._parts(self._read.document["components"]["schemas"][title], title)
        for inner in schema.get("allOf", ()):
            yield from self._parts(inner, name)
        if "$ref" not in schema:
            yield schema, name

    # --- keeping ---

    def _kept(
        self, schema: Any, value: Any, at: Path, name: str
    ) -> Iterator[tuple[str, str, Path, Any]]:
        for part, its_name in self._parts(schema, name):
            for option in part.get("enum", ()):
                yield its_name, "option", at, option
            if "maxLength" in part and "pattern" not in part:
                yield its_name, "longest", at, "x" * part["maxLength"]
            if isinstance(value, list) and value and "maxItems" in part:
                yield its_name, "most", at, value[:1] * part["maxItems"]
            if isinstance(value, dict):
                for key, inner in part.get("properties", {}).items():
                    if key in value:
                        yield f"{its_name}.{key}", "without", (*at, key), _LEFT_OUT
                        yield from self._kept(inner, value[key], (*at, key), f"{its_name}.{key}")
            if isinstance(value, list) and value and "items" in part:
                yield from self._kept(part["items"], value[0], (*at, 0), f"{its_name}[]")


def _bad_values(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Keyword and value for everything this one schema refuses about a value."""
    for bad in _OF_OTHER_TYPES.get(str(schema.get("type")), ()):
        yield "type", bad
    if "const" in schema:
        yield "const", f"{schema['const']}x"
    if "enum" in schema:
        yield "enum", "undocumented"
        yield from (("enum", other) for other in _careless(schema["enum"]))
    if "maxLength" in schema:
        filler = str(value) + "x" * schema["maxLength"]
        yield "maxLength", filler[: schema["maxLength"] + 1]
    if schema.get("minLength"):
        yield "minLength", ""
    if "pattern" in schema:
        yield from (("pattern", bad) for bad in _BAD_TEXTS)
    if "maxItems" in schema and isinstance(value, list):
        yield "maxItems", value[:1] * (schema["maxItems"] + 1)
    if schema.get("minItems"):
        yield "minItems", []


def _careless(options: list[Any]) -> Iterator[Any]:
    """What a careless client would send for an option: JSON true for "true", 6 for "6"."""
    for option in options:
        if option in {"true", "false"}:
            yield option == "true"
        elif isinstance(option, str) and option.isdecimal():
            yield int(option)


def _with(body: Any, path: Path, value: Any) -> Any:
    """A copy of a body with one place changed or left out."""
    if not path:
        return value
    changed = deepcopy(body)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if value is _LEFT_OUT:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return changed
