"""Exchanges written down for people and tools: JSON, NDJSON, HAR. No credential is in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from mock_server import __version__
from mock_server.core.journal import Exchange, Headers
from mock_server.core.world import World
from mock_server.door.bodies import shown_body
from mock_server.edge.moments import moment, moment_or_null

REDACTED = "[redacted]"

_SECRET_HEADERS = {"authorization", "mock-control-token", "cookie", "set-cookie"}
_SECRET_MEMBERS = re.compile(rb'("(?:signing_secret|callback_secret)"\s*:\s*")[^"]*')
# What differs between two runs that are otherwise the same: transport, not contract.
_VOLATILE_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "date",
    "host",
    "keep-alive",
    "transfer-encoding",
    "user-agent",
}


class Record:
    """Writes down the exchanges of one world."""

    def __init__(self, world: World) -> None:
        self._secrets = [key.secret.encode() for key in world.keys if len(key.secret) > 3]

    def shown(self, exchange: Exchange) -> dict[str, Any]:
        """One exchange as the control door shows it."""
        return {
            "id": exchange.id,
            "at": moment(exchange.started_ms),
            "ended_at": moment_or_null(exchange.ended_ms),
            "method": exchange.method,
            "path": exchange.path,
            "query": exchange.query,
            "api": exchange.api or None,
            "operation": exchange.operation,
            "account": exchange.account,
            "task": exchange.task,
            "request": self._message(
                exchange.request_headers, exchange.request_body, exchange.request_size_bytes
            ),
            "status": exchange.status,
            "answer": None
            if exchange.status is None
            else self._message(
                exchange.answer_headers, exchange.answer_body, exchange.answer_size_bytes
            ),
            "refusal": exchange.refusal,
            "scenario": exchange.scenario,
            "channel": exchange.channel,
            "faults": exchange.faults,
            "without": exchange.without,
        }

    def ndjson(self, exchanges: Iterable[Exchange]) -> bytes:
        """One line each, the same for the same session: headers of the transport are left out."""
        encoder = msgspec.json.Encoder(order="sorted")
        return encoder.encode_lines([self._steady(exchange) for exchange in exchanges])

    def har(self, exchanges: Iterable[Exchange], base_url: str) -> dict[str, Any]:
        """A HAR 1.2 document, for any viewer of such."""
        return {
            "log": {
                "version": "1.2",
                "creator": {"name": "hailuo-mock", "version": __version__},
                "entries": [self._har_entry(exchange, base_url) for exchange in exchanges],
            }
        }

    def _steady(self, exchange: Exchange) -> dict[str, Any]:
        shown = self.shown(exchange)
        for message in (shown["request"], shown["answer"]):
            if message is not None:
                message["headers"] = sorted(
                    (name, value)
                    for name, value in message["headers"]
                    if name not in _VOLATILE_HEADERS
                )
        return shown

    def _message(self, headers: Headers, body: bytes, size_bytes: int) -> dict[str, Any]:
        shown = {"headers": self._headers(headers)}
        return shown | shown_body(self._redacted(body)) | {"size_bytes": size_bytes}

    def _headers(self, headers: Headers) -> list[tuple[str, str]]:
        shown = []
        for raw_name, raw_value in headers:
            name = raw_name.decode("latin-1").lower()
            value = self._redacted(raw_value).decode("latin-1")
            shown.append((name, REDACTED if name in _SECRET_HEADERS else value))
        return shown

    def _redacted(self, content: bytes) -> bytes:
        if b"_secret" in content:
            content = _SECRET_MEMBERS.sub(rb"\1" + REDACTED.encode(), content)
        for secret in self._secrets:
            content = content.replace(secret, REDACTED.encode())
        return content

    def _har_entry(self, exchange: Exchange, base_url: str) -> dict[str, Any]:
        shown = self.shown(exchange)
        request, answer = shown["request"], shown["answer"]
        took_ms = (exchange.ended_ms or exchange.started_ms) - exchange.started_ms
        query = f"?{exchange.query}" if exchange.query else ""
        return {
            "startedDateTime": shown["at"],
            "time": took_ms,
            "request": {
                "method": exchange.method,
                "url": f"{base_url}{exchange.path}{query}",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": _named(request["headers"]),
                "queryString": [],
                "headersSize": -1,
                "bodySize": exchange.request_size_bytes,
            }
            | _post_data(request),
            "response": {
                "status": exchange.status or 0,
                "statusText": "",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": _named(answer["headers"] if answer else []),
                "content": {
                    "size": exchange.answer_size_bytes,
                    "mimeType": _content_type(answer["headers"] if answer else []),
                    "text": answer["body"] if answer else "",
                },
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": exchange.answer_size_bytes,
            },
            "cache": {},
            "timings": {"send": 0, "wait": took_ms, "receive": 0},
        }


def _named(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _content_type(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name == "content-type"), "x-unknown")


def _post_data(request: dict[str, Any]) -> dict[str, Any]:
    if not request["size_bytes"]:
        return {}
    text = {"mimeType": _content_type(request["headers"]), "text": request["body"]}
    return {"postData": text}
