"""uvicorn's protocol, made to read HTTP as clients really send it.

An app may break the connection of a request as a network would.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any, cast

import httptools
import msgspec
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mock_server.core.refusals import Invalid
from mock_server.edge.connection import TRANSPORT
from mock_server.edge.host_header import require_host
from mock_server.server.joined_writes import JoinedWrites

log = logging.getLogger(__name__)

_TLS_HANDSHAKE = b"\x16"
_PROBLEM = "application/problem+json"

_LINGER_S = 1.0
"""How long a refused caller may go on sending. A connection closed at once can lose the answer."""


class BreakableProtocol(HttpToolsProtocol):
    """One connection. Each request's scope holds its transport.

    Other protocols that a client offers with `Upgrade` are ignored (RFC 9110, 7.8): the request is
    answered as if it had not offered any.
    """

    _is_refused = False
    """Whether nothing more is read."""

    _is_in_body = False
    """Whether the head of a request is there, and its end is not."""

    _offered: list[tuple[bytes, bytes]] | None = None
    """All headers of the request whose head is read again, without its `Upgrade`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Read requests from now on."""
        joined = JoinedWrites(transport, self.loop)
        super().connection_made(cast(asyncio.Transport, joined))

    def data_received(self, data: bytes) -> None:
        """Read what came. What is no HTTP is answered 400, and the connection closes."""
        self._unset_keepalive_if_required()
        while data and not self._is_refused:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    self.refuse(400, "CONNECT is for proxies, and hailuo-mock is none")
                    return
                head = self._head_without_upgrade()
                # The parser may hold the connection for over: HTTP/1.0, or `Connection: close`.
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                data = head + data[offer.args[0] :]
            except httptools.HttpParserError as error:
                if not bool(self.cycle) and data.startswith(_TLS_HANDSHAKE):
                    log.warning("a client spoke TLS to this port: use http:// in its base URL")
                self.refuse(400, f"this is no HTTP request: {_reason(error)}")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._has_host = False
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; its value has no white space around it (RFC 9110, 5.5).

        Refuses with Invalid a malformed `Host`, and a second one.
        """
        name, value = name.lower(), value.strip(b" \t")
        if name == b"host":
            require_host(value, is_first=not self._has_host)
            self._has_host = True
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Start the app, unless the head has to be read again first."""
        if self.parser.should_upgrade():
            return
        if self._offered is not None:
            self.headers[:], self._offered = self._offered, None
        if not self.url.startswith(b"/"):
            self.url = _WITHOUT_PATH.sub(rb"\g<0>/", self.url)
        if self.expect_100_continue:
            # RFC 9110, 10.1.1: HTTP/1.0 knows no such expectation.
            self.expect_100_continue = self.parser.get_http_version() != "1.0"
        super().on_headers_complete()
        self._is_in_body = True
        if self.expect_100_continue:
            # A client that is refused before `100 Continue` may send its body or not. What comes
            # after the answer could be either, so nothing more is read.
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The body is complete, unless its head has to be read again first."""
        if not self.parser.should_upgrade():
            self._is_in_body = False
            super().on_message_complete()

    def _head_without_upgrade(self) -> bytes:
        """The head that was just read, without what made the parser leave the body unread."""
        self._offered = self.headers
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def refuse(self, status: int, sentence: str) -> None:
        """Answer after all answers that are still to come, close the connection, read no more."""
        if self._is_refused:
            return
        self._is_refused = True
        log.info("%d to %s: %s", status, self.client, sentence)
        body = msgspec.json.encode({"title": sentence, "status": status})
        answer = Response(body, status, {"connection": "close"}, _PROBLEM)
        cycle = self.cycle
        if self._is_in_body and cycle.response_started:
            self.transport.close()
        elif self._is_in_body and self.pipeline:
            self.pipeline[0] = cycle, cast(Any, answer)
        elif self._is_unanswered and not self._is_in_body:
            cycle.keep_alive = False  # its answer is the last one
        else:
            self._answer_now(answer)

    def _answer_now(self, answer: Response) -> None:
        headers = [*self.server_state.default_headers, *answer.raw_headers]
        lines = [b"%s: %s\r\n" % header for header in headers]
        head = b"".join([STATUS_LINE[answer.status_code], *lines, b"\r\n"])
        self.transport.write(head + bytes(answer.body))
        if self._is_unanswered:
            # The app is told so, and a server that stops waits for no other answer.
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    @property
    def _is_unanswered(self) -> bool:
        """Whether the last request that began is not answered in full."""
        return bool(self.cycle) and not self.cycle.response_complete


_WITHOUT_PATH = re.compile(rb"^https?://[^/?#]+(?=[?#]|$)", re.IGNORECASE)
"""A target as proxies get it, whose path is empty: that means `/` (RFC 9112, 3.2.1)."""


def _reason(error: httptools.HttpParserError) -> str:
    """What the parser says is wrong, or what it was stopped by."""
    if "PRI" in str(error):
        return "it is HTTP/2, and HTTP/1.1 is spoken here"
    if isinstance(error.__context__, Invalid):
        return str(error.__context__)
    if isinstance(error, httptools.HttpParserCallbackError):
        return "its target cannot be read"
    return str(error)
