"""Checks every answer of the server, in every test, against the contract.

The schemas allow more fields. The server sends only known ones, so here they are closed.
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

from mock_server.apis import ALL
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.journal import Exchange
from tests.door_hook import DOOR, door_breaches, patterns_of, validator_of

PREFIXES = ("/api/v1", "/hailuo")


class HeldToContract:
    """ASGI wrapper. `broken` collects each violation of the contract."""

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
        if started and "exchange" in scope and _is_judged(scope["exchange"]):
            headers = {name.decode().lower(): value.decode() for name, value in started["headers"]}
            answer = scope["method"], scope["path"], started["status"], headers, bytes(body)
            if scope["path"].startswith(DOOR):
                if b"format=" not in scope["query_string"]:  # HAR has a schema of its own
                    self.broken += door_breaches(*answer)
            else:
                self.broken += breaches(*answer)


def _is_judged(exchange: Exchange) -> bool:
    """Whether no fault changed the answer, and it is one of an API or the control door."""
    is_unknown = (exchange.refusal or "").startswith("UnknownScenario")
    return not exchange.faults and not is_unknown and exchange.origin == "api"


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
    """The violations of the contract by an answer of an API; none for other paths."""
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
    whole: dict[str, Any] = Contract(SCHEMAS, ALL).openapi
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
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """The paths of the document, each after a pattern that it matches."""
    return patterns_of(document()["paths"])


def _schema_for(method: str, path: str, status: int) -> jsonschema_rs.Draft202012Validator | None:
    verb = "get" if method == "HEAD" else method.lower()
    documented = next((name for pattern, name in _paths() if pattern.fullmatch(path)), None)
    if documented is None or verb not in document()["paths"][documented]:
        # No operation: an unknown path or method, which both APIs refuse in their envelope.
        name = "RivyaError" if path.startswith("/api") else "AceDataError"
        return _of_component(name) if status in (404, 405) else None
    return _of_answer(documented, verb, str(status))


@cache
def _of_answer(path: str, verb: str, status: str) -> jsonschema_rs.Draft202012Validator | None:
    response = document()["paths"][path][verb]["responses"].get(status)
    if response is None:
        return None
    if "$ref" in response:
        response = _components()["responses"][response["$ref"].rpartition("/")[2]]
    return validator_of(response["content"]["application/json"]["schema"], _components())


@cache
def _of_component(name: str) -> jsonschema_rs.Draft202012Validator:
    return validator_of({"$ref": f"#/components/schemas/{name}"}, _components())
