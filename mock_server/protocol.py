"""uvicorn's protocol, made to read HTTP as clients really send it.

An app may break the connection of a request as a network would.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import httptools
from starlette.responses import Response
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mock_server.connection_reset import reset
from mock_server.core.refusals import Invalid
from mock_server.edge.host_header import require_host

log = logging.getLogger(__name__)

_TRANSPORT = "hailuo_mock.transport"
_TLS_HANDSHAKE = b"\x16"


class BreakableProtocol(HttpToolsProtocol):
    """One connection. Each request's scope holds its transport.

    Other protocols that a client offers with `Upgrade` are ignored (RFC 9110, 7.8): the request is
    answered as if it had not offered any.
    """

    _has_request = False
    """Whether a head was read on this connection."""

    _offered: list[tuple[bytes, bytes]] | None = None
    """All headers of the request whose head is read again, without its `Upgrade`."""

    def data_received(self, data: bytes) -> None:
        """Read what came. What is no HTTP is answered 400, and the connection closes."""
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    self._refuse("CONNECT is for proxies, and hailuo-mock is none")
                    return
                head = self._head_without_upgrade()
                # The parser may hold the connection for over: HTTP/1.0, or `Connection: close`.
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                data = head + data[offer.args[0] :]
            except httptools.HttpParserError as error:
                if not self._has_request and data.startswith(_TLS_HANDSHAKE):
                    log.warning("a client spoke TLS to this port: use http:// in its base URL")
                self._refuse(f"this is no HTTP/1.1 request: {_reason(error)}")
                return

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {_TRANSPORT: {"transport": self.transport}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field value has no white space around it (RFC 9110, 5.5)."""
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self) -> None:
        """Start the app, unless the head has to be read again first.

        Refuses with Invalid a malformed `Host`, which has to be known before anything else.
        """
        if self.parser.should_upgrade():
            return
        if self._offered is not None:
            self.headers[:], self._offered = self._offered, None
        require_host(self.headers)
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110, 10.1.1
        super().on_headers_complete()
        self._has_request = True
        if self.expect_100_continue:
            # A client that is refused before `100 Continue` may send its body or not. What comes
            # after the answer could be either, so nothing more is read.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The body is complete, unless its head has to be read again first."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _head_without_upgrade(self) -> bytes:
        """The head that was just read, without what made the parser leave the body unread."""
        self._offered = self.headers
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _refuse(self, sentence: str) -> None:
        """Answer 400 after all answers that are still to come, and close the connection."""
        log.info("400 to %s: %s", self.client, sentence)
        body = json.dumps({"title": sentence, "status": 400}).encode()
        cycle = self.cycle
        if self._has_request and not cycle.response_complete:
            cycle.keep_alive = False
            if not cycle.more_body:
                return  # it is the last one that is answered
            if self.pipeline:
                answer: Any = Response(body, 400, media_type="application/problem+json")
                self.pipeline[0] = cycle, answer
                return
            if cycle.response_started:
                self.transport.close()
                return
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def _reason(error: httptools.HttpParserError) -> str:
    """What the parser says is wrong, or what it was stopped by."""
    if isinstance(error.__context__, Invalid):
        return str(error.__context__)
    if isinstance(error, httptools.HttpParserCallbackError):
        return "its target cannot be read"
    return str(error)


def close_connection(scope: Scope) -> None:
    """Hang up, when what was sent so far has left. Raises as `reset_connection` does."""
    _transport_of(scope).close()


def reset_connection(scope: Scope) -> None:
    """Break the connection a request came over; the caller sees it reset.

    Raises ConnectionResetError where there is no connection: the app was called in this process.
    """
    reset(_transport_of(scope))


def came_over_network(scope: Scope) -> bool:
    """Whether a request came over a connection; else the app was called in this process."""
    return _TRANSPORT in scope.get("extensions", {})


def _transport_of(scope: Scope) -> asyncio.Transport:
    extension = scope.get("extensions", {}).get(_TRANSPORT)
    if extension is None:
        raise ConnectionResetError("the connection was broken, as a fault asked")
    transport: asyncio.Transport = extension["transport"]
    return transport
