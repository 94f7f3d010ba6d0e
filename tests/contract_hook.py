"""Every answer of the fake, in every test, is held against the contract.

The schemas let vendors add fields; the fake sends exactly the known ones, so here they are closed.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any

import httpx2
import jsonschema_rs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.journal import Exchange
from tests.door_hook import DOOR, door_breaches

PREFIXES = ("/api/v1", "/hailuo")


class HeldToContract:
    """ASGI wrapper: `broken` collects what an answer did that the contract does not allow."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.broken: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started: Message = {}
        body = bytearray()

        async def listen(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body.extend(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, listen)
        # A preflight opens no exchange: the vendors' documents say nothing of browsers.
        if started and "exchange" in scope and not _is_faulty(scope["exchange"]):
            headers = {name.decode().lower(): value.decode() for name, value in started["headers"]}
            answer = scope["method"], scope["path"], started["status"], headers, bytes(body)
            if scope["path"].startswith(DOOR):
                if b"format=" not in scope["query_string"]:  # HAR has a schema of its own
                    self.broken += door_breaches(*answer)
            else:
                self.broken += breaches(*answer)


def _is_faulty(exchange: Exchange) -> bool:
    """Whether the answer was spoilt on purpose, or is no vendor's."""
    return bool(exchange.faults) or (exchange.refusal or "").startswith("UnknownScenario")


def held(response: httpx2.Response) -> httpx2.Response:
    """An answer of a server in another process, after the same check."""
    found = breaches(
        response.request.method,
        response.request.url.path,
        response.status_code,
        dict(response.headers),
        response.content,
    )
    assert found == []
    return response


def breaches(
    method: str, path: str, status: int, headers: dict[str, str], body: bytes
) -> list[str]:
    """What an answer of one of the two APIs has against the contract; nothing for other paths."""
    if not path.startswith(PREFIXES):
        return []
    place = f"{method} {path} -> {status}"
    if headers.get("content-type") != "application/json":
        return [f"{place}: content type {headers.get('content-type')}"]
    answer = json.loads(body)
    schema = _schema_for(method, path, status)
    if schema is None:
        return [f"{place}: no such answer is documented"]
    found = [f"{place}: {_place(error)}: {error.message}" for error in schema.iter_errors(answer)]
    return found + _missing_headers(place, status, headers)


def _place(error: jsonschema_rs.ValidationError) -> str:
    return "/".join(map(str, error.instance_path)) or "body"


def _missing_headers(place: str, status: int, headers: dict[str, str]) -> list[str]:
    wanted = {401: "www-authenticate", 405: "allow"}.get(status)
    return [f"{place}: no header {wanted}"] if wanted and wanted not in headers else []


@cache
def document() -> dict[str, Any]:
    """The bundled document of both APIs."""
    whole: dict[str, Any] = Contract(SCHEMAS).openapi
    return whole


@cache
def _components() -> dict[str, Any]:
    """The document's components, with answers closed to fields they do not name."""
    closed: dict[str, Any] = deepcopy(document()["components"])
    for schema in closed["schemas"].values():
        _close(schema)
    return closed


def _close(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _close(item)
    elif isinstance(node, dict):
        if node.get("type") in ("object", ["object", "null"]) and "properties" in node:
            node.setdefault("additionalProperties", False)
        for value in node.values():
            _close(value)


@cache
def _schema_for(method: str, path: str, status: int) -> jsonschema_rs.Draft202012Validator | None:
    operation = _operation(method, path)
    if operation is None:
        # No operation: an unknown path or method, which both APIs refuse in their envelope.
        name = "RivyaError" if path.startswith("/api") else "AceDataError"
        return _compiled({"$ref": f"#/components/schemas/{name}"}) if status in (404, 405) else None
    response = operation["responses"].get(str(status))
    if response is None:
        return None
    if "$ref" in response:
        response = _components()["responses"][response["$ref"].rpartition("/")[2]]
    return _compiled(response["content"]["application/json"]["schema"])


def _compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {**deepcopy(schema), "components": _components()}, validate_formats=True
    )


def _operation(method: str, path: str) -> dict[str, Any] | None:
    verb = "get" if method == "HEAD" else method.lower()
    for template, item in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            found: dict[str, Any] | None = item.get(verb)
            return found
    return None
