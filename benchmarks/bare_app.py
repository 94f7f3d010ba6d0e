"""The bare app: one JSON route on Starlette, with the same settings of uvicorn as the fake.

Figures of the fake are compared with its figures.
"""

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
    """Answer GET /bare."""
    return JSONResponse({"id": "task_1", "status": "succeeded"})


class Server(uvicorn.Server):
    """uvicorn, with the same line on stdout as the fake when it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the line."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        line = {"event": "ready", "url": f"http://{host}:{port}", "pid": os.getpid()}
        print(json.dumps(line), flush=True)


def main() -> None:
    """Serve on a free port of 127.0.0.1 until a signal stops it."""
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
