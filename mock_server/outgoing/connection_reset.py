"""Resets a TCP connection: the other side loses unread data, as with a network failure."""

import asyncio
import socket
import struct

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on with 0 seconds: closing such a socket resets the connection."""


def reset(transport: asyncio.WriteTransport) -> None:
    """Reset a connection. The other side gets RST, not FIN."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()
