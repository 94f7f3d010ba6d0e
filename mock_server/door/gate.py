"""Who may use the control door: everybody, unless the server was given a token for it."""

from __future__ import annotations

import hmac

from starlette.responses import Response

from mock_server.core.refusals import ControlTokenWrong
from mock_server.edge.call import Call
from mock_server.edge.resource import Handler


def guarded(handler: Handler) -> Handler:
    """The same handler for those who have the token. Refuses with ControlTokenWrong."""

    async def admit(call: Call) -> Response:
        token = call.fake.settings.control_token
        sent = call.header(b"mock-control-token") or ""
        if token is not None and not hmac.compare_digest(token.encode(), sent.encode()):
            raise ControlTokenWrong("this door is locked: send the header Mock-Control-Token")
        return await handler(call)

    return admit
