"""Every answer of the control door, in every test, is held against the door's own document.

Objects are closed: what the document does not name must not be sent.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema_rs

from mock_server.door.document import document
from mock_server.door.routes import table

DOOR = "/_mock"


def door_breaches(
    method: str, path: str, status: int, headers: dict[str, str], body: bytes
) -> list[str]:
    """What an answer of the door has against the document; nothing where that says nothing."""
    kind = headers.get("content-type")
    schema: jsonschema_rs.Draft202012Validator | None
    if kind == "application/problem+json":
        schema = _compiled("Problem")
    elif kind == "application/json" and status < 300:
        schema = _schema_for("get" if method == "HEAD" else method.lower(), path)
    else:
        return []
    if schema is None or not body:
        return []
    found = [
        f"{method} {path} -> {status}: {'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in schema.iter_errors(json.loads(body))
    ]
    return found[:3]


@cache
def _whole() -> dict[str, Any]:
    whole: dict[str, Any] = document(table())
    return whole


@cache
def _closed() -> dict[str, Any]:
    closed: dict[str, Any] = deepcopy(_whole()["components"])
    for schema in closed["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return closed


@cache
def _schema_for(verb: str, path: str) -> jsonschema_rs.Draft202012Validator | None:
    for template, item in _whole()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            content = item.get(verb, {}).get("responses", {}).get("2XX", {}).get("content")
            return content and _validator(content["application/json"]["schema"])
    return None


@cache
def _compiled(name: str) -> jsonschema_rs.Draft202012Validator:
    return _validator({"$ref": f"#/components/schemas/{name}"})


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {**deepcopy(schema), "components": _closed()}, validate_formats=True
    )
