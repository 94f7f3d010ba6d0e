"""Exchanges as JSON, NDJSON and HAR, without credentials."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from typing import Any
from urllib.parse import parse_qsl, quote

import msgspec
from msgspec.structs import replace as changed

from mock_server import __version__
from mock_server.control import answers
from mock_server.core.journal import Exchange, Headers, Origin
from mock_server.core.world import World
from mock_server.edge.long_answer import json_list_parts
from mock_server.edge.redacted import redact_exchange
from mock_server.edge.timestamps import moment, moment_or_none, moment_text

# Headers that differ between two equal runs: they belong to the transport, not the contract.
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
    """Shows the exchanges of one world. A key of up to three characters is hidden only in its
    header, because any text may contain it."""

    def __init__(self, world: World) -> None:
        self._evicted = world.journal.evicted
        self._redaction = world.keys.redaction
        self._max_body_bytes = world.rules.journal_body_bytes

    def redacted(self, exchange: Exchange) -> Exchange:
        """The same exchange without any credential."""
        twin = copy(exchange)
        redact_exchange(twin, self._redaction, max_body_bytes=self._max_body_bytes)
        return twin

    def shown(self, exchange: Exchange) -> answers.Exchange:
        """One exchange as the control door shows it."""
        exchange = self.redacted(exchange)
        request = _message(
            exchange.request_headers, exchange.request_body, exchange.request_size_bytes
        )
        answer = _message(exchange.answer_headers, exchange.answer_body, exchange.answer_size_bytes)
        return answers.answer_of(
            answers.Exchange,
            exchange,
            at=moment(exchange.started_ms),
            ended_at=moment_or_none(exchange.ended_ms),
            api=exchange.api or None,
            request=request,
            answer=None if exchange.status is None else answer,
            wall_at=moment_or_none(exchange.started_wall_ms),
            ended_wall_at=moment_or_none(exchange.ended_wall_ms),
        )

    def ndjson(self, exchanges: Iterable[Exchange]) -> Iterator[bytes]:
        """One line per exchange. Transport headers, the connection and times of the machine's
        clock are left out: they differ between runs."""
        encoder = msgspec.json.Encoder(enc_hook=moment_text, order="sorted")
        return (encoder.encode(self._steady(exchange)) + b"\n" for exchange in exchanges)

    def har(
        self, exchanges: Iterable[Exchange], base_urls: Mapping[Origin, str]
    ) -> Iterator[bytes]:
        """A HAR 1.2 document in parts; its comment says how many requests are missing.
        base_urls: of each origin."""
        head = {
            "version": "1.2",
            "creator": {"name": "hailuo-mock", "version": __version__},
            "comment": f"{self._evicted} older requests had to go" if self._evicted else "",
        }
        yield b'{"log":'
        entries = (self._har_entry(exchange, base_urls[exchange.origin]) for exchange in exchanges)
        yield from json_list_parts(head | {"entries": []}, "entries", entries)
        yield b"}"

    def _steady(self, exchange: Exchange) -> answers.Exchange:
        shown = self.shown(exchange)
        answer = shown.answer and _without_transport(shown.answer)
        return changed(
            shown,
            request=_without_transport(shown.request),
            answer=answer,
            connection=None,
            wall_at=None,
            ended_wall_at=None,
        )

    def _har_entry(self, exchange: Exchange, base_url: str) -> dict[str, Any]:
        shown = self.shown(exchange)
        request, answer = shown.request, shown.answer or _message([], b"", 0)
        ended_ms = exchange.started_ms if exchange.ended_ms is None else exchange.ended_ms
        took_ms = ended_ms - exchange.started_ms
        path = quote(shown.path, safe=_IN_PATHS)
        query = _STRAY_PERCENT.sub("%25", quote(shown.query, safe=_IN_QUERIES))
        return {
            "startedDateTime": shown.at,
            "time": took_ms,
            "_task": shown.task,
            "_endedBy": shown.ended_by,
            "_sentBytes": shown.sent_bytes,
            "_startedWallDateTime": shown.wall_at,
            "_endedWallDateTime": shown.ended_wall_at,
            "request": {
                "method": shown.method,
                "url": base_url + path + (f"?{query}" if query else ""),
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": _named(request.headers),
                "queryString": _named(parse_qsl(shown.query, keep_blank_values=True)),
                "headersSize": -1,
                "bodySize": request.size_bytes,
            }
            | _post_data(request),
            "response": {
                "status": shown.status or 0,
                "statusText": "",
                "httpVersion": "HTTP/1.1",
                "cookies": [],
                "headers": _named(answer.headers),
                "content": {
                    "size": answer.size_bytes,
                    "mimeType": _content_type(answer.headers),
                }
                | _har_text(answer.content),
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": answer.size_bytes,
            },
            "cache": {},
            "timings": {"send": 0, "wait": took_ms, "receive": 0},
        } | ({} if shown.connection is None else {"connection": str(shown.connection)})


_IN_PATHS = "/:@!$&'()*+,;=~"
_IN_QUERIES = f"{_IN_PATHS}?%"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def _message(headers: Headers, body: bytes, size_bytes: int) -> answers.Recorded:
    decoded = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    text = body.decode(errors="replace")
    return answers.Recorded(headers=tuple(decoded), body=text, content=body, size_bytes=size_bytes)


def _without_transport(message: answers.Recorded) -> answers.Recorded:
    headers = sorted(each for each in message.headers if each[0] not in _VOLATILE_HEADERS)
    return changed(message, headers=tuple(headers))


def _har_text(body: bytes) -> dict[str, str]:
    """A body in the format of HAR: as text if it is UTF-8, else as base 64."""
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": b64encode(body).decode(), "encoding": "base64"}


def _named(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _content_type(headers: Iterable[tuple[str, str]]) -> str:
    return next((value for name, value in headers if name == "content-type"), "x-unknown")


def _post_data(request: answers.Recorded) -> dict[str, Any]:
    text = {"mimeType": _content_type(request.headers), "text": request.body}
    return {"postData": text} if request.size_bytes else {}
