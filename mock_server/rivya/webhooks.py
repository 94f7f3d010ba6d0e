"""Webhook endpoints: known, guarded, and not there yet."""

from __future__ import annotations

from starlette.responses import Response

from mock_server.core.refusals import NotImplementedHere
from mock_server.edge.call import Call
from mock_server.rivya import gate


async def not_yet(call: Call) -> Response:
    """Every webhook route: lets the right key in and says that nothing answers here."""
    gate.admit(call, "webhooks:manage")
    raise NotImplementedHere("this version of the fake has no webhooks; poll the generation")
