"""The public list of models."""

from __future__ import annotations

from starlette.responses import Response

from mock_server.apis.rivya import gate, wire
from mock_server.edge.call import Call, json_response


async def list_models(call: Call) -> Response:
    """GET /api/v1/models: for everybody; a key that comes along is not looked at."""
    gate.require_api(call)
    entries = [wire.model(model) for model in call.fake.contract.catalog.of("rivya")]
    return json_response({"object": "list", "data": entries})
