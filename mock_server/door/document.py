"""The door's own OpenAPI document, read off its table of routes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mock_server import __version__
from mock_server.door.routes import Described, DoorRoute
from mock_server.edge.resource import Handler

_TOKEN: dict[str, list[str]] = {"ControlToken": []}


def document(table: Iterable[DoorRoute]) -> dict[str, Any]:
    """OpenAPI 3.1. Every answer that is no success is a problem document (RFC 9457)."""
    from mock_server.door.answers import schemas  # the client's types: few ask for the document

    answers, components = schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hailuo-mock control door",
            "version": __version__,
            "description": "How tests and people look into the fake, and steer it.",
        },
        "paths": {row.path: _path(row, answers) for row in table},
        "components": {
            "securitySchemes": {
                "ControlToken": {"type": "apiKey", "in": "header", "name": "Mock-Control-Token"}
            },
            "schemas": {"Problem": _PROBLEM} | components,
        },
    }


def _path(row: DoorRoute, answers: Mapping[Handler, Any]) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", row.path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]
    operations = {
        method.lower(): _operation(row, method, handler, answers.get(handler))
        for method, handler in row.handlers.items()
        if method != "HEAD"
    }
    return ({"parameters": parameters} if parameters else {}) | operations


def _operation(row: DoorRoute, method: str, handler: Handler, answer: Any) -> dict[str, Any]:
    first, _, rest = (handler.__doc__ or "").partition("\n")
    shared = len(set(row.handlers.values())) < len(row.handlers)
    name = f"{handler.__name__}_{method.lower()}" if shared else handler.__name__
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": first.partition(": ")[2].rstrip("."),
        "responses": {
            "2XX": {"description": row.answers} | ({"content": _json(answer)} if answer else {}),
            "default": {
                "description": "Refused, and nothing has changed.",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                },
            },
        },
    }
    if rest.strip():
        operation["description"] = " ".join(rest.split())
    if not row.is_open:
        operation["security"] = [_TOKEN, {}]
    if method in row.queries:
        operation["parameters"] = _parameters(row.queries[method])
    if method in row.bodies:
        operation["requestBody"] = _body(row.bodies[method])
    return operation


def _parameters(query: Described) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in query.schema["properties"].items()
    ]


def _body(kinds: Sequence[Described]) -> dict[str, Any]:
    schemas = [dict(kind.schema) for kind in kinds]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"required": True, "content": _json(schema)}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "instance"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "instance": {"type": "string"},
        "detail": {"type": "string"},
        "near_misses": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["request", "asked", "differences"],
                "properties": {
                    "request": {"type": "string"},
                    "asked": {"type": "string"},
                    "differences": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "rule", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "rule": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
