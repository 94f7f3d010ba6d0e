"""The fields of a JSON Schema as the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
_LIMITS = (
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "format", "default",
)  # fmt: skip
_DEEPEST = 6


@dataclass(frozen=True, eq=False)
class Field:
    """A field. path: `data[].id`. kind: its type, values and limits. schema: its own."""

    path: str
    kind: str
    is_required: bool
    schema: Schema


def resolved(node: Schema, document: Schema) -> Schema:
    """What a reference leads to, with what stands beside the reference; else the node."""
    if "$ref" not in node:
        return node
    found: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return {**resolved(found, document), **{k: v for k, v in node.items() if k != "$ref"}}


def fields_of(schema: Schema, document: Schema) -> list[Field]:
    """Every field, outer ones first; those of all alternatives, each once."""
    found: dict[tuple[str, str], Field] = {}
    for field in _fields(resolved(schema, document), document, "", 0):
        found.setdefault((field.path, field.kind), field)
    return list(found.values())


def alternatives(schema: Schema, document: Schema) -> list[Schema]:
    """The schemas of which one applies; the schema alone if it has none."""
    schema = resolved(schema, document)
    branches = schema.get("oneOf") or schema.get("anyOf") or ()
    objects = [each for each in (resolved(branch, document) for branch in branches)
               if "properties" in each]  # fmt: skip
    return objects or [schema]


def _fields(schema: Schema, document: Schema, path: str, depth: int) -> Iterator[Field]:
    if depth > _DEEPEST or schema.get("type") == "null":
        return
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        child = resolved(given, document)
        place = f"{path}.{name}" if path else name
        yield Field(place, kind_of(child, document), name in required, child)
        yield from _fields(child, document, place, depth + 1)
    if isinstance(schema.get("items"), Mapping):
        yield from _fields(resolved(schema["items"], document), document, f"{path}[]", depth + 1)
    for word in ("oneOf", "anyOf", "allOf"):
        for branch in schema.get(word, ()):
            yield from _fields(resolved(branch, document), document, path, depth + 1)


def kind_of(schema: Schema, document: Schema) -> str:
    """The type in words, with its limits: `string, maxLength 2000`."""
    schema = resolved(schema, document)
    limits = [f"{word} `{_shown(schema[word])}`" for word in _LIMITS if word in schema]
    return ", ".join([_type(schema, document), *limits])


def _type(schema: Schema, document: Schema) -> str:
    if "const" in schema:
        return f"`{_shown(schema['const'])}`"
    if "enum" in schema:
        return _or([f"`{_shown(value)}`" for value in schema["enum"]])
    branches = schema.get("oneOf") or schema.get("anyOf")
    if branches:
        return _or(dict.fromkeys(kind_of(branch, document) for branch in branches))
    kinds = schema.get("type", "object" if "allOf" in schema else "any value")
    if kinds == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_type(resolved(schema['items'], document), document)}"
    return kinds if isinstance(kinds, str) else _or(kinds)


def _or(words: Any) -> str:
    return " or ".join(words)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
