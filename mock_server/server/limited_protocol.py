"""The server's HTTP protocol, with limits on the size and the time of requests."""

import asyncio
from itertools import count

from mock_server.config.settings import LimitSettings
from mock_server.outgoing.release import Release
from mock_server.server.known_headers import KnownHeaders
from mock_server.server.uvicorn_protocol import BreakableProtocol

_HEADER_COST_BYTES = 32
"""Counted for each header in addition to its bytes, as in HTTP/2 (RFC 9113, 6.5.2)."""

_READ_BYTES = 32 * 1024
"""The most that a transport reads at once. asyncio's default has room for ten thousand small
requests; to parse them all at once would block the event loop."""

_NOTED = frozenset({b"host", b"expect"})
"""The headers that the protocol itself reads."""


class _PastLimit(Exception):
    """Ends the parsing of a request that has been refused."""


class LimitedProtocol(BreakableProtocol):
    """One connection.
    A request that exceeds a limit of its URL, its headers or its time is answered here, and its
    connection is closed."""

    limits = LimitSettings()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        self._header_bytes = 0
        self._unparsed_bytes = 0
        self._waiting_since_s = self.loop.time()
        self._shortest_timeout_s = min(self.limits.head_timeout_s, self.limits.body_timeout_s)
        self._timer = self.loop.call_later(self._shortest_timeout_s, self._check_time)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _parse(self, data: bytes) -> None:
        """Parse the data. Nothing is read after a refusal."""
        self._unparsed_bytes += len(data)
        self._received_s = self.loop.time()
        super()._parse(data)
        if not (self._is_in_head or self._is_in_body):
            self._unparsed_bytes = 0
        # The parser calls `on_header` only when a header is complete.
        if self._unparsed_bytes > self.limits.header_bytes and not self.transport.is_closing():
            self._refuse_headers()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._header_bytes = self._unparsed_bytes = 0
        self._waiting_since_s = self._received_s

    def on_url(self, url: bytes) -> None:
        """A piece of the URL. Refused past the limit."""
        self.url += url
        self._unparsed_bytes = 0
        if len(self.url) > self.limits.url_bytes:
            self.refuse(
                414, f"the URL has more than {self.limits.url_bytes} bytes (limits.url_bytes)"
            )
            raise _PastLimit

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. Refused past the limit. Trailers are ignored.
        White space around the value is no part of it (RFC 9110, 5.5)."""
        self._unparsed_bytes = 0
        self._header_bytes += len(name) + len(value) + _HEADER_COST_BYTES
        if self._header_bytes > self.limits.header_bytes:
            self._refuse_headers()
            raise _PastLimit
        if self._is_in_head:
            name, value = name.lower(), value.strip(b" \t")
            if name in _NOTED:
                self.note_header(name, value)
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The headers are complete: start to wait for the body."""
        self._unparsed_bytes = 0
        self._waiting_since_s = self._received_s
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def _check_time(self) -> None:
        """Refuse a request that exceeds its time, and close an idle connection."""
        now_s = self.loop.time()
        name = "body" if self._is_in_body else "head"
        limit_s: float = getattr(self.limits, f"{name}_timeout_s")
        if self._is_in_use:
            self._waiting_since_s = now_s
        left_s = self._waiting_since_s + limit_s - now_s
        if left_s > 0:
            wait_s = min(left_s, self._shortest_timeout_s)
            self._timer = self.loop.call_later(wait_s, self._check_time)
        elif self._is_in_head or self._is_in_body:
            self.refuse(
                408,
                f"the {name} of the request did not come within {limit_s:g} s "
                f"(limits.{name}_timeout_s)",
            )
        else:
            self.transport.close()

    @property
    def _is_in_use(self) -> bool:
        """Whether the caller waits for the server, or uvicorn's own timer runs."""
        return (
            self.flow.read_paused
            or (self._is_unanswered and not self._is_in_body)
            or self._idle_since_s is not None
        )

    def _refuse_headers(self) -> None:
        limit = self.limits.header_bytes
        self.refuse(
            431,
            f"the headers have more than {limit} bytes, {_HEADER_COST_BYTES} more counted for each "
            "(limits.header_bytes)",
        )

    def refuse(self, status: int, sentence: str) -> None:
        """Stop the timer and refuse."""
        self._timer.cancel()
        super().refuse(status, sentence)


def protocol_within(
    limits: LimitSettings, paths: tuple[str, ...], release: Release
) -> type[LimitedProtocol]:
    """The protocol with the limits of a server. paths: its `immediate_paths`."""
    members = {
        "limits": limits,
        "immediate_paths": paths,
        "numbers": count(1),
        "known_headers": KnownHeaders(limits.url_bytes),
        "release": release,
    }
    return type("ServersProtocol", (LimitedProtocol,), members)
