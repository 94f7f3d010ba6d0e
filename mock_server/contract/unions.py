"""Writes schemas for the OpenAPI document as unions: few generators understand `if`."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import Any

from mock_server.contract.request_rules import Schema

Schemas = dict[str, Schema]
"""Components of the OpenAPI document, by name."""


def union_of_models(general: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Schemas:
    """A component for each model's request, and one that accepts each of them.
    schemas: by the id of the model."""
    branches = [
        (
            [model_id],
            schema
            | {
                "title": _name(general["title"], model_id),
                "description": f"A request for the model {model_id}.",
            },
        )
        for model_id, schema in schemas.items()
    ]
    return _union(general, "model", branches)


def union_of_conditions(general: Mapping[str, Any], field: str, rest_name: str) -> Schemas:
    """A component for each value of `field` that an `if` names, and one that accepts each of them.
    rest_name: ends the name of the component for all other values."""
    plain = {key: value for key, value in general.items() if key not in {"if", "then", "else"}}
    values = list(general["properties"][field]["enum"])
    branches, node = [], general
    while "if" in node:
        value = node["if"]["properties"][field]["const"]
        values.remove(value)
        required = [*node["if"].get("required", ()), *node["then"].get("required", ())]
        branch = _branch(plain, field, [value], node["then"], required)
        branches.append(([value], branch | {"title": _name(general["title"], value)}))
        node = node["else"]
    rest = _branch(plain, field, values, node, node.get("required", ()))
    branches.append((values, rest | {"title": general["title"] + rest_name}))
    return _union(general, field, branches)


def with_unions_of_variants(schema: Any) -> Any:
    """The schema with a union in place of each choice by a field that `TypedBody` made."""
    if isinstance(schema, list):
        return [with_unions_of_variants(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    conditions = schema.get("allOf", ())
    if conditions and all("if" in each for each in conditions):
        return {"oneOf": [with_unions_of_variants(each["then"]) for each in conditions]}
    return {name: with_unions_of_variants(inner) for name, inner in schema.items()}


def open_list_of_codes(table: Mapping[str, Any]) -> Schemas:
    """The component for an error table: one enum of the known codes, or any other text."""
    *rows, other = table["anyOf"]
    lines = [
        f"- `{row['const']}` ({row['x-status'] or 'no status'}): {row['x-when']}" for row in rows
    ]
    return {
        table["title"]: {
            "title": table["title"],
            "description": "\n".join([table["description"], "", *lines]),
            "anyOf": [{"type": "string", "enum": [row["const"] for row in rows]}, other],
        }
    }


def _branch(
    plain: Mapping[str, Any],
    field: str,
    values: list[str],
    narrower: Mapping[str, Any],
    required: Collection[str],
) -> Schema:
    schema = deepcopy(dict(plain))
    schema["required"] = [*schema.get("required", ()), *required]
    properties = schema["properties"]
    properties[field] |= {"enum": values}
    for name, inner in narrower.get("properties", {}).items():
        # openapi-fetch loses a field whose only type is null: the type stays, its value is fixed.
        properties[name] |= {"enum": [None]} if inner["type"] == "null" else inner
    return schema


def _union(
    general: Mapping[str, Any], field: str, branches: list[tuple[list[str], Schema]]
) -> Schemas:
    """The branches as components, and their union. Each comes with its values of `field`."""
    references = {
        value: f"#/components/schemas/{schema['title']}"
        for values, schema in branches
        for value in values
    }
    is_decided_by_field = all(field in schema["required"] for _, schema in branches)
    union: Schema = {
        "title": general["title"],
        "description": general["description"],
        "oneOf" if is_decided_by_field else "anyOf": [
            {"$ref": reference} for reference in dict.fromkeys(references.values())
        ],
    }
    if is_decided_by_field:
        union["discriminator"] = {"propertyName": field, "mapping": references}
    return {general["title"]: union, **{schema["title"]: schema for _, schema in branches}}


def _name(title: str, value: str) -> str:
    """The name of a component: GenerationRequestHailuoPro for hailuo-pro."""
    return title + value.replace("_", "-").title().replace("-", "")
