"""Rivya's part of the contract, at the path of Rivya's own document."""

import asyncio

from starlette.responses import Response

from mock_server.apis.rivya import gate
from mock_server.edge.call import Call, json_response


async def get_openapi_document(call: Call) -> Response:
    """GET /api/v1/openapi.json: the contract of this API only."""
    gate.require_api(call)
    contract = call.server.contract
    return json_response(await asyncio.to_thread(contract.document_of, call.base_url, "/api/v1"))
