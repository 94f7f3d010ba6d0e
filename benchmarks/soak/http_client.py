"""A small HTTP/1.1 client: a library would need more CPU time than the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PIECE_BYTES = 1 << 20


class NoAnswer(Exception):
    """The connection broke before the whole answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The value of its JSON."""
        return json.loads(self.body)


class Connection:
    """One connection that stays open, with one request at a time. sent: requests so far."""

    def __init__(self, port: int) -> None:
        """port: of a server on this machine."""
        self._port = port
        self.sent = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request; its whole answer. Raises NoAnswer if the connection breaks."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                "127.0.0.1", self._port, limit=_PIECE_BYTES
            )
        reader, writer = self._streams
        self.sent += 1
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            return await _answer(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.close()
            raise NoAnswer(f"{method} {path}: {error!r}") from None

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    status = int(first.split(" ")[1])
    if "chunked" in headers.get("transfer-encoding", ""):
        pieces = []
        while size := int(await reader.readuntil(b"\r\n"), 16):
            pieces.append((await reader.readexactly(size + 2))[:-2])
        await reader.readexactly(2)
        return Answer(status, b"".join(pieces))
    return Answer(status, await reader.readexactly(int(headers["content-length"])))
