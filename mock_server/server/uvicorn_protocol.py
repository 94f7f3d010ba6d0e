"""uvicorn's HTTP protocol, extended for requests that real clients send."""

import asyncio
import logging
import re
from collections.abc import Iterator
from itertools import count
from typing import Any, cast
from urllib.parse import unquote

import httptools
import msgspec
from starlette.responses import Response
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from mock_server.core.refusals import Invalid
from mock_server.edge.connection import TRANSPORT
from mock_server.edge.host_header import require_host
from mock_server.edge.request_headers import REQUEST_HEADERS, RequestHeaders, headers_of
from mock_server.outgoing.release import AtOnce, Release
from mock_server.server.joined_writes import JoinedWrites
from mock_server.server.known_headers import KnownHeaders, PlainRequest
from mock_server.server.request_cycle import RequestCycle, run_at_once

log = logging.getLogger(__name__)

_TLS_HANDSHAKE = b"\x16"
_PROBLEM = "application/problem+json"

_LINGER_S = 1.0
"""How long a connection stays open after a refusal, so that the answer is not lost."""


class BreakableProtocol(HttpToolsProtocol):
    """One connection. Each request's scope holds its transport, so that a fault can break it.
    Other protocols that a client offers with `Upgrade` are ignored (RFC 9110, 7.8).

    immediate_paths: the beginnings of paths whose requests are run without a task; see
        `run_at_once`.
    release: when answers may be sent.
    numbers: of the server's connections.
    known_headers: those that the server has parsed.
    _is_refused: whether a request was refused: no more data is read.
    _is_in_head: whether a request has begun, and its head is not complete.
    _is_in_body: whether the head of a request is complete, and its body is not.
    _offered: all headers of the request whose head is read again, without its `Upgrade`.
    _last_headers: of the last request that was parsed; usually the next one has the same.
    _known_host: the last `Host` of the connection, which usually is that of all its requests.
    _begun: the request that is run when all received data is parsed.
    _idle_since_s: when the last answer was sent; None if data was received since then.
    """

    immediate_paths: tuple[str, ...] = ()
    release: Release = AtOnce()
    numbers: Iterator[int] = count(1)
    known_headers = KnownHeaders(0)
    _is_refused = False
    _is_in_head = False
    _is_in_body = False
    _offered: list[tuple[bytes, bytes]] | None = None
    _last_headers: RequestHeaders | None = None
    _known_host: bytes | None = None
    _begun: RequestCycle | None = None
    _idle_since_s: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to read requests."""
        self.joined = JoinedWrites(transport, self.loop, self.release)
        super().connection_made(cast(asyncio.Transport, self.joined))
        connection = {"transport": self.transport, "number": next(self.numbers)}
        self._extensions = {TRANSPORT: connection}
        self._asgi = {"version": self.asgi_version, "spec_version": "2.3"}

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Parse the data, and run the request that it began."""
        self._idle_since_s = None
        is_at_start = not (
            self._is_in_head or self._is_in_body or self._is_refused or self._is_unanswered
        )
        if is_at_start and (request := self.known_headers.find(data)) is not None:
            self._run(self._cycle_of(request))
            return
        self._parse(data)
        if self._begun is not None:
            cycle, self._begun = self._begun, None
            if is_at_start and cycle.keep_alive and not cycle.more_body:
                self.known_headers.keep(data, headers_of(cycle.scope), len(cycle.body))  # type: ignore[arg-type]
            self._run(cycle)

    def _parse(self, data: bytes) -> None:
        """Parse the data. The answer to data that is not HTTP is 400, and the connection closes."""
        while data and not self._is_refused:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as offer:
                if self.parser.get_method() == b"CONNECT":
                    self.refuse(400, "CONNECT is for proxies, and hailuo-mock is none")
                    return
                head = self._head_without_upgrade()
                # Else the parser reads nothing after HTTP/1.0, or after `Connection: close`.
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                data = head + data[offer.args[0] :]
            except httptools.HttpParserError as error:
                if not bool(self.cycle) and data.startswith(_TLS_HANDSHAKE):
                    log.warning("a client spoke TLS to this port: use http:// in its base URL")
                self.refuse(400, f"this is no HTTP request: {_reason(error)}")

    def _run(self, cycle: RequestCycle) -> None:
        """Start the app for a request."""
        if not cycle.scope["path"].startswith(self.immediate_paths):
            self._start_asgi_task(cycle, self.app)
            return
        task = run_at_once(cycle.run_asgi(self.app), self.loop)
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._is_in_head = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = self._has_host = False

    def note_header(self, name: bytes, value: bytes) -> None:
        """Note a `Host` or `Expect`. Refuses with Invalid a malformed `Host`, and a second one."""
        if name == b"host":
            if self._has_host or value != self._known_host:
                require_host(value, is_first=not self._has_host)
                self._known_host = value
            self._has_host = True
        elif value.lower() == b"100-continue":
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Make the cycle of the request, unless its head is to be parsed again."""
        parser = self.parser
        if parser.should_upgrade():
            return
        if self._offered is not None:
            self.headers[:], self._offered = self._offered, None
        if not self.url.startswith(b"/"):
            self.url = _WITHOUT_PATH.sub(rb"\g<0>/", self.url)
        version = parser.get_http_version()
        if self.expect_100_continue:
            # RFC 9110, 10.1.1: an expectation in HTTP/1.0 is ignored.
            self.expect_100_continue = version != "1.0"
        if b"#" in self.url or not self.url.startswith(b"/"):
            target = httptools.parse_url(self.url)
            raw_path, query = target.path, target.query or b""
        else:  # the same, faster
            raw_path, _, query = self.url.partition(b"?")
        if (known := self._last_headers) is None or known.lines != self.headers:
            known = self._last_headers = RequestHeaders(self.headers)
        # A client that is refused before `100 Continue` may send its body or not. What comes after
        # the answer could be that body or a new request, so no more is read.
        keep_alive = (
            version != "1.0" and not self.expect_100_continue and parser.should_keep_alive()
        )
        earlier: RequestCycle | None = self.cycle  # type: ignore[assignment]
        scope = self._scope(parser.get_method(), raw_path, query, known, version)
        cycle = self.cycle = RequestCycle(scope, self, keep_alive=keep_alive)
        self._is_in_head, self._is_in_body = False, True
        if earlier is None or earlier.response_complete:
            self._begun = cycle
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _cycle_of(self, request: PlainRequest) -> RequestCycle:
        """The cycle of a request that was read without the parser."""
        self.expect_100_continue = False
        scope = self._scope(request.method, request.raw_path, request.query, request.headers, "1.1")
        cycle = self.cycle = RequestCycle(scope, self, keep_alive=True)
        cycle.body, cycle.more_body = request.body, False
        cycle.set()
        return cycle

    def _scope(
        self, method: bytes, raw_path: bytes, query: bytes, headers: RequestHeaders, version: str
    ) -> Scope:
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": self._asgi,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": method.decode("ascii"),
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": headers.lines,
            REQUEST_HEADERS: headers,
            "state": self.app_state.copy(),
            "extensions": self._extensions,
        }

    def on_message_complete(self) -> None:
        """The body is complete, unless its head is to be parsed again."""
        if not self.parser.should_upgrade():
            self._is_in_body = False
            cycle: RequestCycle = self.cycle  # type: ignore[assignment]
            cycle.more_body = False
            cycle.set()

    def on_response_complete(self) -> None:
        """An answer is sent: the next request is run, or awaited."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            if self.pipeline:
                # Else as many as a buffer holds could be added to the queue for each answer.
                self.flow.pause_reading()
            return
        # One timer for all answers: one for each would cost more than parsing a request.
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._set_idle_timer(self.timeout_keep_alive)

    def _set_idle_timer(self, wait_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(wait_s, self._on_idle_timer)

    def _on_idle_timer(self) -> None:
        """Close the connection if it has been idle for so long."""
        self.timeout_keep_alive_task = None
        if self._idle_since_s is None:
            return
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._set_idle_timer(left_s)
        else:
            self.timeout_keep_alive_handler()

    def _head_without_upgrade(self) -> bytes:
        """The head that was just read, without `Upgrade`: with it the parser reads no body."""
        self._offered = self.headers
        version = self.parser.get_http_version().encode()
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def refuse(self, status: int, sentence: str) -> None:
        """Stop reading, send this answer after all earlier ones, and close the connection."""
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
            # Ends the request for the app, and for a server that stops.
            self.cycle.disconnected = self.cycle.response_complete = True
            self.cycle.message_event.set()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)

    @property
    def _is_unanswered(self) -> bool:
        """Whether the latest request has no complete answer."""
        return bool(self.cycle) and not self.cycle.response_complete


_WITHOUT_PATH = re.compile(rb"^https?://[^/?#]+(?=[?#]|$)", re.IGNORECASE)
"""A target in absolute form with an empty path, which means `/` (RFC 9112, 3.2.1)."""


def _reason(error: httptools.HttpParserError) -> str:
    """The parser's message, or that of the refusal that stopped it."""
    if "PRI" in str(error):
        return "it is HTTP/2, and this server uses HTTP/1.1"
    if isinstance(error.__context__, Invalid):
        return str(error.__context__)
    if isinstance(error, httptools.HttpParserCallbackError):
        return "its target cannot be read"
    return str(error)
