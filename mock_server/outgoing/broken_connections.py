"""What an HTTP library does not do: reset a connection, stop in the middle, send very slowly."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from mock_server.core.deliveries import OutgoingRequest

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on with 0 seconds: closing such a socket resets the connection."""


def reset(transport: asyncio.WriteTransport) -> None:
    """Reset a connection. The other side gets RST, not FIN, and loses unread data, as with a
    network failure."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


async def trickling(body: bytes, bytes_per_s: int) -> AsyncIterator[bytes]:
    """A body in single bytes, at this speed in real time."""
    for byte in body:
        await asyncio.sleep(1 / bytes_per_s)
        yield bytes((byte,))


async def break_off(outgoing: OutgoingRequest, host: str) -> ConnectionResetError:
    """Send half a request to `host`, reset the connection, and return the error to record.
    Raises OSError if there is no connection."""
    url = urlsplit(outgoing.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    is_tls = url.scheme == "https"
    _, writer = await asyncio.open_connection(
        host, port, ssl=is_tls or None, server_hostname=url.hostname if is_tls else None
    )
    target = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
    head = "".join(f"{name}: {value}\r\n" for name, value in outgoing.headers)
    writer.write(f"POST {target} HTTP/1.1\r\n{head}\r\n".encode())
    writer.write(outgoing.body[: len(outgoing.body) // 2])
    await writer.drain()
    reset(writer.transport)
    return ConnectionResetError("broken off in the middle of the body")
