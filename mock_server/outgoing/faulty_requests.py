"""Requests that an HTTP client library cannot send: cut off in the middle, or very slow."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from mock_server.core.deliveries import OutgoingRequest
from mock_server.outgoing.connection_reset import reset


async def trickling(body: bytes, bytes_per_s: int) -> AsyncIterator[bytes]:
    """A request body in single bytes, at this speed in real time."""
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
