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
from mock_server.core.journal import Exchange, Headers, IgnoredField
from mock_server.core.world import World
from mock_server.door.bodies import shown_body
from mock_server.edge.long_answer import json_list_parts
from mock_server.edge.moments import moment, moment_or_null

REDACTED = "[redacted]"

_SHORTEST_SECRET = 4
_SECRET_HEADERS = {
    b"authorization",
    b"cookie",
    b"mock-control-token",
    b"proxy-authorization",
    b"set-cookie",
    b"x-api-key",
}
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


def _spelled(secret: str) -> bytes:
    """An expression for a text of ASCII as it is, and as JSON and URLs may spell it."""
    return b"".join(
        rb"(?:\\?%b|(?i:%%%02x|\\u00%02x))" % (re.escape(letter.encode()), ord(letter), ord(letter))
        for letter in secret
    )


_MEMBER_NAMES = b"|".join(map(_spelled, ("signing_secret", "callback_secret")))
_SECRET_MEMBERS = re.compile(
    rb'("(?:%b)"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^\s"\[{,}\]]+)' % _MEMBER_NAMES, re.DOTALL
)


class Record:
    """Writes down the exchanges of one world.

    A key of up to three characters could stand anywhere: it is hidden in its header alone.
    """

    def __init__(self, world: World) -> None:
        self._evicted = world.journal.evicted
        known = {key.secret for key in world.keys}
        for endpoint in world.endpoints:
            known |= {endpoint.secret, endpoint.previous_secret or ""}
        # The longest first: one may be the beginning of another.
        self._secrets = sorted(
            (secret for secret in known if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True
        )
        self._raw_secrets = [secret.encode() for secret in self._secrets]
        self._spellings = re.compile(b"|".join(map(_spelled, self._secrets)) or b"(?!)")

    def redacted(self, exchange: Exchange) -> Exchange:
        """The same exchange without any credential."""
        return replace(
            exchange,
            path=self._text(exchange.path),
            query=self._text(exchange.query),
            refusal=None if exchange.refusal is None else self._text(exchange.refusal),
            request_headers=self._headers(exchange.request_headers),
            request_body=self._body(exchange.request_body, exchange.request_size_bytes),
            answer_headers=self._headers(exchange.answer_headers),
            answer_body=self._body(exchange.answer_body, exchange.answer_size_bytes),
            ignored=tuple(
                IgnoredField(self._text(field.pointer), field.hint) for field in exchange.ignored
            ),
        )

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

    def _headers(self, headers: Headers) -> Headers:
        return [
            (name, REDACTED.encode() if name.lower() in _SECRET_HEADERS else self._redacted(value))
            for name, value in headers
        ]

    def _body(self, body: bytes, size_bytes: int) -> bytes:
        shown = self._redacted(body)
        if len(body) == size_bytes:
            return shown
        # What is kept may end in the middle of a secret.
        for secret in self._raw_secrets:
            for length in range(len(secret) - 1, _SHORTEST_SECRET - 1, -1):
                if shown.endswith(secret[:length]):
                    return shown[:-length] + REDACTED.encode()
        return shown

    def _text(self, text: str) -> str:
        return self._redacted(text.encode(errors="surrogateescape")).decode(
            errors="surrogateescape"
        )

    def _redacted(self, content: bytes) -> bytes:
        is_spelled = b"\\" in content or b"%" in content
        if is_spelled or b"_secret" in content:
            content = _SECRET_MEMBERS.sub(rb'\1"%b"' % REDACTED.encode(), content)
        if is_spelled or any(secret in content for secret in self._raw_secrets):
            content = self._spellings.sub(REDACTED.encode(), content)
        return content

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
