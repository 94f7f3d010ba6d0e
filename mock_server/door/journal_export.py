"""Exchanges written down for people and tools: JSON, NDJSON, HAR. No credential is in them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec

from mock_server import __version__
from mock_server.core.journal import Exchange, Headers
from mock_server.core.world import World
from mock_server.door.bodies import shown_body
from mock_server.edge.long_answer import json_list_parts
from mock_server.edge.redacted import redact_exchange
from mock_server.edge.timestamps import moment, moment_or_null

# What differs between two runs that are otherwise the same: transport, not contract.
_VOLATILE_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "transfer-encoding",
    "user-agent",
}


class Record:
    """Writes down the exchanges of one world.

    A key of up to three characters could stand anywhere: it is hidden in its header alone.
    """

    def __init__(self, world: World) -> None:
        self._evicted = world.journal.evicted
        self._redaction = world.keys.redaction
        self._max_body_bytes = world.rules.journal_body_bytes

    def redacted(self, exchange: Exchange) -> Exchange:
        """The same exchange without any credential."""
        told = replace(exchange)
        redact_exchange(told, self._redaction, max_body_bytes=self._max_body_bytes)
        return told

    def shown(self, exchange: Exchange) -> dict[str, Any]:
        """One exchange as the control door shows it."""
        return self._shown(self.redacted(exchange))

    def _shown(self, exchange: Exchange) -> dict[str, Any]:
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
            "request": _message(
                exchange.request_headers, exchange.request_body, exchange.request_size_bytes
            ),
            "status": exchange.status,
            "answer": None
            if exchange.status is None
            else _message(
                exchange.answer_headers, exchange.answer_body, exchange.answer_size_bytes
            ),
            "refusal": exchange.refusal,
            "scenario": exchange.scenario,
            "channel": exchange.channel,
            "faults": exchange.faults,
            "without": exchange.without,
            "replay_of": exchange.replay_of,
            "ignored": exchange.ignored,
        }

    def ndjson(self, exchanges: Iterable[Exchange]) -> Iterator[bytes]:
        """One line each, the same for the same session: headers of the transport are left out."""
        encoder = msgspec.json.Encoder(order="sorted")
        return (encoder.encode(self._steady(exchange)) + b"\n" for exchange in exchanges)

    def har(self, exchanges: Iterable[Exchange], base_url: str) -> Iterator[bytes]:
        """A HAR 1.2 document in parts, for any viewer of such; its comment says what is missing."""
        head = {
            "version": "1.2",
            "creator": {"name": "hailuo-mock", "version": __version__},
            "comment": f"{self._evicted} older requests had to go" if self._evicted else "",
        }
        yield b'{"log":'
        entries = (self._har_entry(exchange, base_url) for exchange in exchanges)
        yield from json_list_parts(head, "entries", entries, {})
        yield b"}"

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

    def _har_entry(self, exchange: Exchange, base_url: str) -> dict[str, Any]:
        exchange = self.redacted(exchange)
        shown = self._shown(exchange)
        request, answer = shown["request"], shown["answer"]
        ended_ms = exchange.started_ms if exchange.ended_ms is None else exchange.ended_ms
        took_ms = ended_ms - exchange.started_ms
        query = f"?{_har_query(exchange.query)}" if exchange.query else ""
        return {
            "startedDateTime": shown["at"],
            "time": took_ms,
            "request": {
                "method": exchange.method,
                "url": f"{base_url}{quote(exchange.path, safe=_IN_PATHS)}{query}",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": _named(request["headers"]),
                "queryString": _named(parse_qsl(exchange.query, keep_blank_values=True)),
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
                }
                | _har_text(exchange.answer_body),
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": exchange.answer_size_bytes,
            },
            "cache": {},
            "timings": {"send": 0, "wait": took_ms, "receive": 0},
        }


_IN_PATHS = "/:@!$&'()*+,;=~"
_IN_QUERIES = f"{_IN_PATHS}?%"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def _message(headers: Headers, body: bytes, size_bytes: int) -> dict[str, Any]:
    shown = {
        "headers": [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers
        ]
    }
    return shown | shown_body(body) | {"size_bytes": size_bytes}


def _har_query(query: str) -> str:
    """A query as it came, with what has no place in a URL escaped."""
    return _STRAY_PERCENT.sub("%25", quote(query, safe=_IN_QUERIES))


def _har_text(body: bytes) -> dict[str, str]:
    """A body as HAR has it: text, or base 64 where it is none."""
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": b64encode(body).decode(), "encoding": "base64"}


def _named(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _content_type(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name == "content-type"), "x-unknown")


def _post_data(request: dict[str, Any]) -> dict[str, Any]:
    if not request["size_bytes"]:
        return {}
    text = {"mimeType": _content_type(request["headers"]), "text": request["body"]}
    return {"postData": text}
