"""The yardstick: one JSON route on bare Starlette, under the settings the fake runs with."""

from __future__ import annotations

import asyncio
import json
import os
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def show(_: Request) -> JSONResponse:
    """GET /bare."""
    return JSONResponse({"id": "task_1", "status": "succeeded"})


class Server(uvicorn.Server):
    """uvicorn, and a line on stdout once it answers, as the fake prints it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        line = {"event": "ready", "url": f"http://{host}:{port}", "pid": os.getpid()}
        print(json.dumps(line), flush=True)


def main() -> None:
    """Serve on a free port of 127.0.0.1 until told to stop."""
    config = uvicorn.Config(
        Starlette(routes=[Route("/bare", show)]),
        host="127.0.0.1",
        port=0,
        http="httptools",
        loop="asyncio",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
    )
    asyncio.run(Server(config).serve())


if __name__ == "__main__":
    main()
