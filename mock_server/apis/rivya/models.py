"""The public list of models."""

from starlette.responses import Response

from mock_server.apis.rivya import gate, response_bodies
from mock_server.edge.call import Call, json_response


async def list_models(call: Call) -> Response:
    """GET /api/v1/models: no key is needed, and a key that is sent is not checked."""
    gate.require_api(call)
    entries = [response_bodies.model(model) for model in call.server.contract.catalog.of("rivya")]
    return json_response({"object": "list", "data": entries})
