"""The credits of an account."""

from starlette.responses import Response

from mock_server.apis.rivya import gate
from mock_server.edge.call import Call, json_response


async def get_credits(call: Call) -> Response:
    """GET /api/v1/credits: the available credits, without those reserved for running tasks."""
    key = gate.admit(call, "credits:read")
    return json_response(
        {"current_credits": call.world.ledger.balance(key.account).available_credits}
    )
