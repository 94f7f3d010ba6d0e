"""The server itself: whether it runs, its version, and the OpenAPI documents."""

import asyncio
from functools import cache
from typing import Any

from starlette.responses import Response

from mock_server import __version__
from mock_server.control import answers
from mock_server.edge.call import Call, json_response
from mock_server.simulation.state import ServerState


async def health(call: Call) -> Response:
    """GET /_mock/health: the process is alive."""
    return json_response({"status": "alive"})


async def ready(call: Call) -> Response:
    """GET /_mock/ready: the server accepts requests."""
    return json_response({"status": "ready"})


async def version(call: Call) -> Response:
    """GET /_mock/version: the version of the server, the seed of the world, the APIs, which of
    several processes answered, and the state file, with what it does not have of an earlier
    server."""
    apis = [answers.answer_of(answers.ServedApi, api) for api in call.server.apis.values()]
    shard, state = call.server.settings.shard, _state_file(call.server)
    return json_response(answers.Version(__version__, call.world.seed, tuple(apis), shard, state))


def _state_file(server: ServerState) -> answers.StateFile | None:
    settings, restart = server.settings.state, server.keeper.restart
    if settings.file is None:
        return None
    if restart is None:
        return answers.StateFile(settings.file, settings.durable)
    return answers.StateFile(settings.file, settings.durable, restart.requests, restart.attempts)


async def openapi_document(call: Call) -> Response:
    """GET /_mock/openapi.json: the contract of all APIs in one document."""
    return json_response(await asyncio.to_thread(call.server.contract.document_of, call.base_url))


async def control_document(call: Call) -> Response:
    """GET /_mock/control.json: the OpenAPI document of this door."""
    return json_response(await asyncio.to_thread(_control_document, tuple(call.server.apis)))


@cache
def _control_document(apis: tuple[str, ...]) -> dict[str, Any]:
    # Not above: the table of routes names the handler.
    from mock_server.door.document import document
    from mock_server.door.routes import table

    return document(table(), apis)
