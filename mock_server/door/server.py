"""What runs: alive, serving, which version, which contract."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from starlette.responses import Response

from mock_server import __version__
from mock_server.edge.call import Call, json_response


async def health(call: Call) -> Response:
    """GET /_mock/health: the process is alive."""
    return json_response({"status": "alive"})


async def ready(call: Call) -> Response:
    """GET /_mock/ready: it serves; whoever can read this can send requests."""
    return json_response({"status": "ready"})


async def version(call: Call) -> Response:
    """GET /_mock/version: what runs, and the seed that makes it repeatable."""
    return json_response({"version": __version__, "seed": call.world.seed})


async def openapi_document(call: Call) -> Response:
    """GET /_mock/openapi.json: the contract of both APIs in one document."""
    contract = call.fake.contract
    return json_response(await asyncio.to_thread(lambda: contract.openapi))


async def control_document(call: Call) -> Response:
    """GET /_mock/control.json: this door, described in OpenAPI."""
    return json_response(await asyncio.to_thread(_control_document))


@cache
def _control_document() -> dict[str, Any]:
    # Not above: the table of routes names the handler.
    from mock_server.door.document import document
    from mock_server.door.routes import table

    return document(table())
