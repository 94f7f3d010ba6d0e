"""A body that is to become a typed value: what is wrong with it is told as for every other body."""

from __future__ import annotations

import re
from typing import Any, Generic, TypeVar

import msgspec

from mock_server.contract.violations import BodyRules
from mock_server.core.refusals import Invalid

Value = TypeVar("Value")


class TypedBody(Generic[Value]):
    """Reads JSON values as one msgspec type; compiled when first used."""

    def __init__(self, kind: Any, *, closed: bool = False) -> None:
        """closed: no object in it may have a field that its type does not know."""
        self._kind = kind
        self._closed = closed
        self._rules: BodyRules | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the type, whole in itself."""
        (schema,), parts = msgspec.json.schema_components([self._kind], ref_template="{name}")
        inlined: dict[str, Any] = _inlined(schema, parts)
        if self._closed:
            _close(inlined)
        return inlined

    def read(self, body: Any) -> Value:
        """The value a body spells. Refuses with Invalid, naming every place that is wrong."""
        if self._rules is None:
            self._rules = BodyRules(self.schema)
        self._rules.require(body)
        try:
            value: Value = msgspec.convert(body, self._kind)
        except msgspec.ValidationError as error:  # a rule that a schema cannot say
            raise _placed(str(error)) from None
        return value


def _placed(told: str) -> Invalid:
    """What msgspec says, `sentence - at `$.a[0].b``, as a violation at /a/0/b."""
    sentence, _, place = told.partition(" - at `$")
    steps = re.findall(r"\w+", place)
    return Invalid.at("".join(f"/{step}" for step in steps), "value", sentence)


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """The schema with every part in its place, and each choice by `type` told by that alone."""
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
    """The same, or null. `anyOf` would only say that neither fits, this says what is wrong."""
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


def _close(schema: Any) -> None:
    """Allow no other fields than those that are named; a choice by `type` says so itself."""
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict | list):
            _close(inner)
    is_object = isinstance(schema, dict) and "object" in (schema.get("type") or "")
    if is_object and "properties" in schema and "allOf" not in schema:
        schema.setdefault("additionalProperties", False)


def _choice(discriminator: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    """One of several objects. `anyOf` would only say that none fits, this says why."""
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
