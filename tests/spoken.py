"""One connection to the server's protocol, byte by byte, without a socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from mock_server.server.limited_protocol import LimitedProtocol


@dataclass(frozen=True)
class Spoken:
    """One answer as it was written: 100 Continue counts as one."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Conversation:
    """All answers on one connection, and whether the server then closed it."""

    answers: list[Spoken]
    is_closed: bool

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]


def converse(pieces: Iterable[bytes], app: ASGIApp | None = None) -> Conversation:
    """What the server says when these pieces come in one after another.

    app: echoes the request if none is given.
    """
    return asyncio.run(_converse(pieces, app or echo))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was told: method, path, headers and body."""
    body = await read(receive)
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "headers": [
            [name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]
        ],
        "body": body.decode("latin-1"),
    }
    await answer(send, 200, json.dumps(told).encode())


async def read(receive: Receive) -> bytes:
    """A whole body; raises ConnectionError if it never comes."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send: Send, status: int, body: bytes) -> None:
    """Answer at once."""
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 4010), "peername": ("127.0.0.1", 50000)})
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.closed:
            self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True


async def _converse(pieces: Iterable[bytes], app: ASGIApp) -> Conversation:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    config = Config(app, log_config=None, proxy_headers=False, lifespan="off")
    config.load()
    state = ServerState()
    protocol, transport = LimitedProtocol(config, state, {}), _Transport()
    protocol.connection_made(transport)
    for piece in pieces:
        if not transport.closed:
            protocol.data_received(piece)
        await _settle()
    for _ in range(2):  # a file is written in a thread: that one
        await asyncio.get_running_loop().run_in_executor(None, int)
        await _settle()
    is_closed = transport.closed
    protocol.connection_lost(None)
    await asyncio.gather(*state.tasks, return_exceptions=True)
    return Conversation(list(_parsed(bytes(transport.written))), is_closed)


async def _settle() -> None:
    """Let everything that can happen now happen."""
    for _ in range(20):
        await asyncio.sleep(0)


def _parsed(data: bytes) -> Iterable[Spoken]:
    while data:
        head, found, data = data.partition(b"\r\n\r\n")
        assert found, head
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        assert status, head
        lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in lines}
        length = int(headers.get("content-length", 0))
        yield Spoken(int(status[1]), headers, data[:length])
        data = data[length:]
