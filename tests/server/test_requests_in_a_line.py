"""Requests that come in a line before the first is answered: only a few wait in the server."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from mock_server.server.limited_protocol import LimitedProtocol
from tests.spoken import answer

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
SENT = 20_000
MOST_WAITING = 2 * 32 * 1024 // len(REQUEST)


def test_a_client_that_pipelines_waits_when_the_buffer_is_full() -> None:
    assert 0 < asyncio.run(most_waiting()) < MOST_WAITING


async def most_waiting() -> int:
    """How many requests waited at once while many were sent, all of which are answered."""
    waiting: list[int] = []
    protocols: list[LimitedProtocol] = []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        waiting.append(len(protocols[0].pipeline))
        await answer(send, 200, b"")

    config = Config(app, log_config=None, proxy_headers=False, lifespan="off")
    config.load()

    def protocol() -> LimitedProtocol:
        protocols.append(LimitedProtocol(config, ServerState(), {}))
        return protocols[-1]

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(REQUEST * SENT)
        for _ in range(SENT):
            await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    return max(waiting)
