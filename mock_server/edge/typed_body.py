"""Reads a body as a typed value. Its refusals have the same sentences as those of schemas."""

import re
from collections.abc import Iterable
from typing import Any, Generic, TypeVar

import msgspec

from mock_server.contract.violations import BodyRules
from mock_server.core.apis import with_api_names
from mock_server.core.refusals import Invalid

Value = TypeVar("Value")


class TypedBody(Generic[Value]):
    """Reads JSON values as one msgspec type; compiled when first used."""

    def __init__(self, kind: Any, *, closed: bool = False) -> None:
        """closed: whether unknown fields are refused in every object."""
        self._kind = kind
        self._closed = closed
        self._rules: dict[tuple[str, ...], BodyRules] = {}

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the type, without references to other files."""
        (schema,), parts = msgspec.json.schema_components([self._kind], ref_template="{name}")
        inlined: dict[str, Any] = _inlined(schema, parts)
        if self._closed:
            _close(inlined)
        return inlined

    def read(self, body: Any, apis: Iterable[str] = ()) -> Value:
        """The typed value of a body. Refuses with Invalid, naming every place that is wrong.
        apis: the names of the APIs that a body may name."""
        names = tuple(apis)
        if names not in self._rules:
            self._rules[names] = BodyRules(with_api_names(self.schema, names))
        self._rules[names].require(body)
        try:
            value: Value = msgspec.convert(body, self._kind)
        except msgspec.ValidationError as error:  # a rule that is not in the schema
            raise _placed(str(error)) from None
        return value


def _placed(message: str) -> Invalid:
    """msgspec's message, `sentence - at `$.a[0].b``, as a violation at /a/0/b."""
    sentence, _, place = message.partition(" - at `$")
    steps = re.findall(r"\w+", place)
    return Invalid.at("".join(f"/{step}" for step in steps), "value", sentence)


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """The schema with all parts inserted. The `type` alone selects among the kinds of an object."""
    if isinstance(schema, list):
        return [_inlined(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"]], parts)
    if "discriminator" in schema:
        return _choice(schema["discriminator"], parts)
    if {"type": "null"} in schema.get("anyOf", ()) and len(schema["anyOf"]) == 2:
        (wanted,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
        return _or_null(_inlined(wanted, parts))
    return {name: _inlined(each, parts) for name, each in schema.items()}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or null. With `anyOf`, violations would not say what is wrong."""
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


def _close(schema: Any) -> None:
    """Refuse unknown fields in all objects; of a choice by `type`, in each of its parts."""
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict | list):
            _close(inner)
    is_object = isinstance(schema, dict) and "object" in (schema.get("type") or "")
    if is_object and "properties" in schema and "allOf" not in schema:
        schema.setdefault("additionalProperties", False)


def _choice(discriminator: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """One of several objects. With `anyOf`, violations would not say what is wrong."""
    name, mapping = discriminator["propertyName"], discriminator["mapping"]
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"enum": list(mapping)}},
        "allOf": [
            {
                "if": {"type": "object", "properties": {name: {"const": tag}}, "required": [name]},
                "then": _inlined(parts[part], parts),
            }
            for tag, part in mapping.items()
        ],
    }
