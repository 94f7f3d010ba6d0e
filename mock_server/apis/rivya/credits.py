"""What an account has left."""

from __future__ import annotations

from starlette.responses import Response

from mock_server.apis.rivya import gate
from mock_server.edge.call import Call, json_response


async def get_credits(call: Call) -> Response:
    """GET /api/v1/credits: what can be spent; credits held for running tasks are not in it."""
    key = gate.admit(call, "credits:read")
    return json_response(
        {"current_credits": call.world.ledger.balance(key.account).available_credits}
    )
