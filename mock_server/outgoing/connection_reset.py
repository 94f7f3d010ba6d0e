"""Resetting a connection, as a network in trouble does: the other side loses what is under way."""

from __future__ import annotations

import asyncio
import socket
import struct

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: on, for no time; closing such a socket resets the connection."""


def reset(transport: asyncio.WriteTransport) -> None:
    """Break a connection; the other side sees it reset, not closed."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
