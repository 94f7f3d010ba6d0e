"""Rivya's part of the contract, served where Rivya serves its own."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from mock_server.apis.rivya import gate
from mock_server.edge.call import Call, json_response


async def get_openapi_document(call: Call) -> Response:
    """GET /api/v1/openapi.json: the fake's own document, with nothing of another API in it."""
    gate.require_api(call)
    return json_response(await asyncio.to_thread(call.fake.contract.openapi_part, "/api/v1"))
