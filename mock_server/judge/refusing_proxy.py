"""A proxy that refuses every request and notes which host was asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_HEAD_BYTES = 16 * 1024
_HEAD_WAIT_S = 5.0
_MOST_HOSTS = 100
_LONGEST_HOST = 255


class RefusingProxy:
    """Answers 403 to everything. url: where it answers.
    hosts: those that were asked for, each once, in order; at most _MOST_HOSTS."""

    def __init__(self) -> None:
        self.url = ""
        self.hosts: list[str] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[RefusingProxy]:
        """Answers inside the block. Raises OSError if it cannot listen."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0, limit=_HEAD_BYTES)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_WAIT_S)
            host = _host_of(head.partition(b"\r\n")[0].decode("latin-1"))
            if host and host not in self.hosts and len(self.hosts) < _MOST_HOSTS:
                self.hosts.append(host)
            writer.write(_refusal(host))
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()


def _host_of(line: str) -> str:
    """The host in a request line, with its port if there is one; empty if there is no host."""
    method, _, rest = line.partition(" ")
    target = rest.partition(" ")[0]
    try:
        parts = urlsplit(f"//{target}" if method.upper() == "CONNECT" else target)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2][:_LONGEST_HOST]
    return host if host.isprintable() else ""


def _refusal(host: str) -> bytes:
    body = (
        f"hailuo-mock judge refuses this: a client that is judged calls the fake, and not "
        f"{host or 'another host'}. The URL of the fake is in a variable of its environment.\n"
    ).encode(errors="replace")
    head = (
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
