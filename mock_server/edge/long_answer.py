"""Long answers: sent in pieces, with other requests served in between."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mock_server.edge.timestamps import moment_text

_PIECE_BYTES = 64 * 1024


class LongAnswer(Response):
    """An answer whose body is encoded while it is sent; a short one has a Content-Length."""

    def __init__(
        self,
        parts: Iterable[bytes],
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        """parts: the body. Each part is made in a short time; the world may change between two."""
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)
        self._pieces = _pieces(parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; other tasks of the event loop run after each piece."""
        piece, following = next(self._pieces, b""), next(self._pieces, None)
        if following is None:
            self.headers["content-length"] = str(len(piece))
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        while following is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
            piece, following = following, next(self._pieces, None)
        await send({"type": "http.response.body", "body": piece})


def json_list(whole: Any, name: str, items: Iterable[Any]) -> LongAnswer:
    """The JSON object `whole`, its empty list `name` filled with items that are made when sent."""
    return LongAnswer(json_list_parts(whole, name, items))


def json_list_parts(whole: Any, name: str, items: Iterable[Any]) -> Iterator[bytes]:
    """The JSON object `whole` in parts, with these items in its empty list `name`."""
    before, list_of, after = _encode(whole).partition(b'"%b":[]' % name.encode())
    yield before + list_of[:-1]
    comma = b""
    for item in items:
        yield comma + _encode(item)
        comma = b","
    yield b"]" + after


_encode = msgspec.json.Encoder(enc_hook=moment_text).encode


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about _PIECE_BYTES."""
    waiting, size_bytes = [], 0
    for part in parts:
        waiting.append(part)
        size_bytes += len(part)
        if size_bytes >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size_bytes = [], 0
    if waiting:
        yield b"".join(waiting)
