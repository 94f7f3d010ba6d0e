"""Answers that may be long: written piece by piece, and other requests are served in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_PIECE_BYTES = 64 * 1024


class LongAnswer(Response):
    """An answer whose body is made while it is sent; a short one has a Content-Length as ever."""

    def __init__(
        self,
        parts: Iterable[bytes],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str = "application/json",
    ) -> None:
        """parts: the body. Making one must not take long; whatever they tell of may change between
        two of them."""
        self.status_code = status
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)
        self._pieces = _pieces(parts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; everybody else has a turn after each piece."""
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


def json_list(name: str, items: Iterable[Any], **members: Any) -> LongAnswer:
    """The JSON object `{NAME: [ITEMS], MEMBERS}`. items: plain data, each made when it is sent."""
    return LongAnswer(json_list_parts({}, name, items, members))


def json_list_parts(
    before: Mapping[str, Any], name: str, items: Iterable[Any], after: Mapping[str, Any]
) -> Iterator[bytes]:
    """A JSON object with one long list in it, and other members before and after that."""
    yield msgspec.json.encode({**before, name: []})[:-2]
    comma = b""
    for item in items:
        yield comma + msgspec.json.encode(item)
        comma = b","
    yield b"]" + (b"," if after else b"") + msgspec.json.encode(after)[1:]


def _pieces(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth sending."""
    waiting, size_bytes = [], 0
    for part in parts:
        waiting.append(part)
        size_bytes += len(part)
        if size_bytes >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size_bytes = [], 0
    if waiting:
        yield b"".join(waiting)
