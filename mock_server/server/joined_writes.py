"""A transport that sends head and body of an answer together: system calls are expensive."""

import asyncio
from typing import Any

from mock_server.outgoing.release import Release

_MOST_BYTES = 64 * 1024
"""Bytes that wait for the next turn of the loop; more are sent at once, for flow control."""

_LOST = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b"
)
_LOST_BODY = b'{"title":"the state file of this server cannot be written: it stops","status":503}'


class JoinedWrites:
    """Wraps a connection's transport: data written in one turn of the loop is sent together.

    is_closing: returns whether the connection is closed or closing.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        release: Release,
    ) -> None:
        """release: when data may be sent."""
        self._transport = transport
        self._loop = loop
        self._release = release
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._is_held = self._has_more = False
        self._at_end: str | None = None
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        """An attribute of the transport."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Queue data. It is sent in the next turn of the loop, or as soon as it is released."""
        is_first = not self._waiting
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._release.is_held:
            self._hold()
        elif is_first:
            self._loop.call_soon(self._flush)
        elif self._waiting_bytes > _MOST_BYTES:
            self._flush()

    def write_now(self, data: bytes) -> None:
        """Send this now, after the queued data, or as soon as it is released."""
        if self._release.is_held:
            self.write(data)
            return
        if self._waiting:
            self._flush()
        self._transport.write(data)

    def write_eof(self) -> None:
        """Send the queued data, then close the sending side."""
        self._end("write_eof")

    def close(self) -> None:
        """Send the queued data, then close the connection."""
        self._end("close")

    def _end(self, how: str) -> None:
        self._flush()
        if self._is_held:
            self._at_end = how
        else:
            getattr(self._transport, how)()

    def _flush(self) -> None:
        if not self._waiting:
            return
        if self._release.is_held or self._is_held:
            self._hold()
        else:
            self._send()

    def _send(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def _hold(self) -> None:
        """Wait for the release; if that has begun already, once more after it."""
        self._has_more = self._is_held
        if not self._is_held:
            self._is_held = True
            self._release.when_released(self._on_release)

    def _on_release(self, is_written: bool) -> None:
        self._is_held = False
        if not is_written:
            self._refuse()
        elif self._has_more and self._release.is_held:
            self._hold()
            return
        else:
            self._send()
        if self._at_end is not None:
            self._end(self._at_end)

    def _refuse(self) -> None:
        """Say that nothing is sent any more, if no answer has begun, and close the connection."""
        if self._waiting and self._waiting[0].startswith(b"HTTP/"):
            self._transport.write(_LOST % (len(_LOST_BODY), _LOST_BODY))
        self._waiting, self._waiting_bytes = [], 0
        self._transport.close()
