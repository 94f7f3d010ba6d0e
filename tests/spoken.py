"""One connection to the server's protocol, byte by byte, without a socket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from mock_server.server.known_headers import KnownHeaders
from mock_server.server.limited_protocol import LimitedProtocol
from tests.asgi import Answer


@dataclass(frozen=True)
class Conversation:
    """All that was written on one connection, and whether the server then closed it."""

    written: bytes
    is_closed: bool

    @property
    def answers(self) -> list[Answer]:
        return list(_parsed(self.written))

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]


def converse(
    pieces: Iterable[bytes],
    app: ASGIApp | None = None,
    *,
    at_once: bool = False,
    known: KnownHeaders | None = None,
) -> Conversation:
    """The answers to these pieces, sent one after another.

    app: echoes the request if none is given. at_once: whether requests are run without a task.
    known: the headers that the server has parsed; None: it parses all requests.
    """
    return asyncio.run(_converse(pieces, app or echo, known or KnownHeaders(0), at_once=at_once))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the request: method, path, headers and body."""
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


async def _converse(
    pieces: Iterable[bytes], app: ASGIApp, known: KnownHeaders, *, at_once: bool
) -> Conversation:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    config = Config(app, log_config=None, proxy_headers=False, lifespan="off")
    config.load()
    state = ServerState()
    protocol, transport = LimitedProtocol(config, state, {}), _Transport()
    protocol.known_headers = known
    if at_once:
        protocol.immediate_paths = ("/",)
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
    return Conversation(bytes(transport.written), is_closed)


async def _settle() -> None:
    """Run the loop until nothing more can happen now."""
    for _ in range(20):
        await asyncio.sleep(0)


def _parsed(data: bytes) -> Iterable[Answer]:
    while data:
        head, found, data = data.partition(b"\r\n\r\n")
        assert found, head
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        assert status, head
        lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in lines}
        length = int(headers.get("content-length", 0))
        yield Answer(int(status[1]), headers, data[:length])
        data = data[length:]
