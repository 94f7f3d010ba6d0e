"""The server's protocol, with limits on what a caller sends and how long it takes."""

from __future__ import annotations

import asyncio

from mock_server.config.settings import LimitSettings
from mock_server.server.uvicorn_protocol import BreakableProtocol

_HEADER_COST_BYTES = 32
"""What a header counts beside its letters, as in HTTP/2 (RFC 9113, 6.5.2)."""


_READ_BYTES = 32 * 1024
"""How much asyncio's transports read in one go. Ten thousand small requests in a line fit into what
they would read by themselves, and to parse them would keep everybody else waiting."""


class _PastLimit(Exception):
    """Ends the parsing of a request that has been refused."""


class LimitedProtocol(BreakableProtocol):
    """One connection.

    A request whose URL or headers pass a limit, or that does not come in time, is answered here,
    and its connection is closed.
    """

    limits = LimitSettings()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request from now on."""
        super().connection_made(transport)  # type: ignore[arg-type]
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        self._is_in_head = False
        self._header_bytes = 0
        self._unparsed_bytes = 0
        self._waiting_since_s = self.loop.time()
        self._shortest_timeout_s = min(self.limits.head_timeout_s, self.limits.body_timeout_s)
        self._timer = self.loop.call_later(self._shortest_timeout_s, self._check_time)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came. Nothing is read after a refusal."""
        self._unparsed_bytes += len(data)
        super().data_received(data)
        # The parser collects a header until it is whole. Meanwhile it calls nothing back.
        if self._unparsed_bytes > self.limits.header_bytes and not self.transport.is_closing():
            self._refuse_headers()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = True
        self._header_bytes = self._unparsed_bytes = 0
        self._waiting_since_s = self.loop.time()

    def on_url(self, url: bytes) -> None:
        """A piece of the URL. Refused past the limit."""
        super().on_url(url)
        self._unparsed_bytes = 0
        if len(self.url) > self.limits.url_bytes:
            self.refuse(
                414, f"the URL has more than {self.limits.url_bytes} bytes (limits.url_bytes)"
            )
            raise _PastLimit

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; trailers are ignored. Refused past the limit."""
        self._unparsed_bytes = 0
        self._header_bytes += len(name) + len(value) + _HEADER_COST_BYTES
        if self._header_bytes > self.limits.header_bytes:
            self._refuse_headers()
            raise _PastLimit
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are there; from now on the body is waited for."""
        self._is_in_head = False
        self._unparsed_bytes = 0
        self._waiting_since_s = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._unparsed_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is sent. Nothing more is read as long as requests wait that were read before:
        with each answer as many new ones might come as there is room for in the buffer."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def _check_time(self) -> None:
        """Refuse a request whose time is up, and close a connection that nothing comes over."""
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
        """Whether the caller waits for the server, or uvicorn has a timer of its own."""
        return (
            self.flow.read_paused
            or (self._is_unanswered and not self._is_in_body)
            or self.timeout_keep_alive_task is not None
        )

    def _refuse_headers(self) -> None:
        limit = self.limits.header_bytes
        self.refuse(
            431,
            f"the headers have more than {limit} bytes, {_HEADER_COST_BYTES} more counted for each "
            "(limits.header_bytes)",
        )

    def refuse(self, status: int, sentence: str) -> None:
        """Nothing is waited for any more."""
        self._timer.cancel()
        super().refuse(status, sentence)


def protocol_within(limits: LimitSettings) -> type[LimitedProtocol]:
    """The protocol with limits of a server's own."""
    return type("ServersProtocol", (LimitedProtocol,), {"limits": limits})
