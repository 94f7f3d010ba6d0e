"""Changes a valid request body at one place: into invalid bodies, and into other valid ones.

A changed body has the changed field and those that are required, so that a finding shows little.

Each keyword of the schema is violated once or a few times. There is no chance in it, so that every
run sends the same bodies. A changed body that the schema accepts is not among the invalid ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from contract_tests.contract import Api, Contract
from contract_tests.json_values import JsonPath, pointer_of, value_at
from contract_tests.promises import promises

_REMOVED = object()
_VALUES_OF_OTHER_TYPES: Mapping[str, tuple[Any, ...]] = {
    "string": (1, True, ["text"], {"a": "b"}, None),
    "boolean": ("true", 1, None),
    "integer": ("1", 1.5, None),
    "number": ("1", None),
    "array": ("text", {"0": "a"}, None),
    "object": ("text", ["a"], None),
}
_NOT_HELD = frozenset({"async"})
"""Fields that stay in every body, so that no request is held open until a video is finished."""
_INVALID_TEXTS = (
    "", "   ", "\t\n\u3000", "no such pattern", "ftp://example.com/a.png",
    "//example.com/a.png",
    "data:image/png;base64,iVBORw0KGgo=", "https://", "https://exa mple.com/", "javascript:1",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A changed body. promise_id: the promise about the place that was changed."""

    promise_id: str
    change: str
    body: Any


_Change = tuple[str, str, JsonPath, Any]
"""The name of a field, a keyword or kind of change, the path, and the new value."""


class Mutations:
    """The changes of one body that is valid for one schema of the contract."""

    def __init__(self, contract: Contract, api: Api, schema: Mapping[str, Any], body: Any) -> None:
        self._api, self._schema, self._body = api, schema, body
        self._title = schema["title"].partition(" ")[0]
        self._schemas = contract.document["components"]["schemas"]
        self._accepted = contract.validator(self._schemas[self._title])

    def invalid(self) -> Iterator[Mutation]:
        """Every body that is refused because of one keyword."""
        for change in self._violations(self._schema, self._body, (), self._title):
            mutation = self._mutation(*change)
            if not self._accepted.is_valid(mutation.body):
                yield mutation

    def valid(self) -> Iterator[Mutation]:
        """The body itself, without each optional part, and with each option."""
        yield Mutation(f"{self._api}.rule.takes-what-is-valid", "as it is", self._body)
        for change in self._variations(self._schema, self._body, (), self._title):
            mutation = self._mutation(*change)
            if self._accepted.is_valid(mutation.body):
                yield mutation

    def _mutation(self, name: str, change: str, path: JsonPath, value: Any) -> Mutation:
        body = _changed(self._body, path, value)
        if not change.startswith("without"):
            small = self._smallest(self._schema, body, path)
            if self._accepted.is_valid(small) == self._accepted.is_valid(body):
                body = small
        return Mutation(self._promise_of(name), f"{change} of {pointer_of(path)}", body)

    def _smallest(self, schema: Any, value: Any, path: JsonPath) -> Any:
        """The value without the optional fields that are not on the path to the change."""
        parts = [part for part, _ in self._parts(schema, "")]
        if isinstance(value, list):
            items: Any = next((part["items"] for part in parts if "items" in part), {})
            return [self._smallest(items, item, path[1:]) for item in value]
        if not isinstance(value, dict) or not any("properties" in part for part in parts):
            return value
        fields = {key: node for part in parts for key, node in part.get("properties", {}).items()}
        kept = {key for part in parts for key in part.get("required", ())} | set(path[:1])
        return {
            key: self._smallest(fields.get(key, {}), inner, path[1:] if path[:1] == (key,) else ())
            for key, inner in value.items()
            if key in kept | _NOT_HELD
        }

    def _promise_of(self, name: str) -> str:
        """The id of the promise about a field, or about the nearest field above it."""
        promise_id = f"{self._api}.{name}"
        while promise_id not in promises() and "." in promise_id:
            promise_id = promise_id.rpartition(".")[0]
        if promise_id in promises():
            return promise_id
        return f"{self._api}.rule.refuses-what-is-invalid"

    # --- invalid values ---

    def _violations(self, schema: Any, value: Any, path: JsonPath, name: str) -> Iterator[_Change]:
        """Every change that violates a keyword at this value or inside it."""
        for part, its_name in self._parts(schema, name):
            for keyword, invalid in _invalid_values(part, value):
                yield its_name, keyword, path, invalid
            if isinstance(value, dict):
                yield from self._object_violations(part, value, path, its_name)
            if isinstance(value, list) and value and "items" in part:
                yield from self._violations(part["items"], value[0], (*path, 0), f"{its_name}[]")

    def _object_violations(
        self, schema: Any, value: dict[str, Any], path: JsonPath, name: str
    ) -> Iterator[_Change]:
        for key in schema.get("required", ()):
            yield f"{name}.{key}", "required", (*path, key), _REMOVED
        for key, inner in schema.get("properties", {}).items():
            if inner.get("not") == {}:
                yield f"{name}.{key}", "not", (*path, key), ["file_1"]
            elif key in value:
                yield from self._violations(inner, value[key], (*path, key), f"{name}.{key}")
        if schema.get("additionalProperties") is False:
            yield name, "additionalProperties", (*path, "undocumented"), "x"

    def _parts(self, schema: Any, name: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """The schema and all schemas it refers to or combines, each with its name."""
        if "$ref" in schema:
            title = schema["$ref"].rpartition("/")[2]
            yield from self._parts(self._schemas[title], title)
        for inner in schema.get("allOf", ()):
            yield from self._parts(inner, name)
        if "$ref" not in schema:
            yield schema, name

    # --- other valid values ---

    def _variations(self, schema: Any, value: Any, path: JsonPath, name: str) -> Iterator[_Change]:
        """Every change at this value or inside it that may leave the body valid."""
        for part, its_name in self._parts(schema, name):
            for option in part.get("enum", ()):
                yield its_name, "option", path, option
            if "maxLength" in part and "pattern" not in part:
                yield its_name, "longest", path, "x" * part["maxLength"]
            if isinstance(value, list) and value and "maxItems" in part:
                yield its_name, "most", path, value[:1] * part["maxItems"]
            if isinstance(value, dict):
                for key, inner in part.get("properties", {}).items():
                    if key in value:
                        inner_name, inner_path = f"{its_name}.{key}", (*path, key)
                        yield inner_name, "without", inner_path, _REMOVED
                        yield from self._variations(inner, value[key], inner_path, inner_name)
            if isinstance(value, list) and value and "items" in part:
                yield from self._variations(part["items"], value[0], (*path, 0), f"{its_name}[]")


def _invalid_values(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Any]]:
    """Each keyword of one schema, with values that violate it."""
    for invalid in _VALUES_OF_OTHER_TYPES.get(str(schema.get("type")), ()):
        yield "type", invalid
    if "const" in schema:
        yield "const", f"{schema['const']}x"
    if "enum" in schema:
        yield "enum", "undocumented"
        yield from (("enum", other) for other in _unquoted(schema["enum"]))
    if "maxLength" in schema:
        filler = str(value) + "x" * schema["maxLength"]
        yield "maxLength", filler[: schema["maxLength"] + 1]
    if schema.get("minLength"):
        yield "minLength", ""
    if "pattern" in schema:
        yield from (("pattern", invalid) for invalid in _INVALID_TEXTS)
    if "maxItems" in schema and isinstance(value, list):
        yield "maxItems", value[:1] * (schema["maxItems"] + 1)
    if schema.get("minItems"):
        yield "minItems", []


def _unquoted(options: list[Any]) -> Iterator[Any]:
    """The options as JSON booleans and numbers: true for "true", 6 for "6"."""
    for option in options:
        if option in {"true", "false"}:
            yield option == "true"
        elif isinstance(option, str) and option.isdecimal():
            yield int(option)


def _changed(body: Any, path: JsonPath, value: Any) -> Any:
    """A copy of a body with one value replaced or removed."""
    if not path:
        return value
    changed = deepcopy(body)
    parent = value_at(changed, path[:-1])
    if value is _REMOVED:
        parent.pop(path[-1], None)
    else:
        parent[path[-1]] = value
    return changed
