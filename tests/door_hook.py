"""Checks every answer of the control door, in every test, against the door's document.

Objects are closed: unknown fields are violations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema_rs

from mock_server.apis import ALL
from mock_server.door.document import document
from mock_server.door.routes import table

DOOR = "/_mock"


def door_breaches(
    method: str, path: str, status: int, headers: dict[str, str], body: bytes
) -> list[str]:
    """The violations of the document by an answer; none for an undocumented answer."""
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
    whole: dict[str, Any] = document(table(), [api.name for api in ALL])
    return whole


@cache
def _closed() -> dict[str, Any]:
    closed: dict[str, Any] = deepcopy(_whole()["components"])
    for schema in closed["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return closed


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """The paths of the document, each after a pattern that it matches."""
    return patterns_of(_whole()["paths"])


def _schema_for(verb: str, path: str) -> jsonschema_rs.Draft202012Validator | None:
    documented = next((name for pattern, name in _paths() if pattern.fullmatch(path)), None)
    return None if documented is None else _of_answer(verb, documented)


@cache
def _of_answer(verb: str, path: str) -> jsonschema_rs.Draft202012Validator | None:
    operation = _whole()["paths"][path].get(verb, {})
    content = operation.get("responses", {}).get("2XX", {}).get("content")
    return content and validator_of(content["application/json"]["schema"], _closed())


@cache
def _compiled(name: str) -> jsonschema_rs.Draft202012Validator:
    return validator_of({"$ref": f"#/components/schemas/{name}"}, _closed())


def patterns_of(paths: Iterable[str]) -> list[tuple[re.Pattern[str], str]]:
    """Paths as documents write them, each after a pattern that it matches."""
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in paths]


def validator_of(
    schema: dict[str, Any], components: dict[str, Any]
) -> jsonschema_rs.Draft202012Validator:
    """The validator of a schema. components: those that it refers to."""
    whole = {**deepcopy(schema), "components": components}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
