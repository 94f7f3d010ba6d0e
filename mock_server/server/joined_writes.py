"""A transport that sends head and body of an answer at once: each send costs more than the rest."""

from __future__ import annotations

import asyncio
from typing import Any

_MOST_BYTES = 64 * 1024
"""Bytes that wait for the end of the turn; more go out at once, and flow control sees them."""


class JoinedWrites:
    """Wraps a connection's transport: what is written in one turn of the loop leaves together."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's."""
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send this at the end of the turn, behind what was written before."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > _MOST_BYTES:
            self._flush()

    def write_eof(self) -> None:
        """Send nothing more, once all that was written has left."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Close the connection when all that was written has left."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))
