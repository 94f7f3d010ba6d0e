"""Admission: switch, key, scope, rate limit, checked in this order (assumed, cheapest first)."""

from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.core.accounts import Key
from mock_server.core.refusals import ApiSwitchedOff
from mock_server.edge import keys
from mock_server.edge.call import Call


def require_api(call: Call) -> RivyaSettings:
    """The settings. Refuses with ApiSwitchedOff while the public API is off."""
    settings = call.server.settings.of(RivyaSettings)
    if not settings.api_enabled:
        raise ApiSwitchedOff("the public API is switched off for now; try again later")
    return settings


def admit(call: Call, scope: str) -> Key:
    """The caller's key. Refuses at the first check that fails, before any body is read."""
    settings = require_api(call)
    # Any other scheme counts as no key at all.
    secret = call.credential[0] if call.authorization.scheme.lower() == "bearer" else None
    key = keys.admit(call, secret, "rivya", is_exact=False)
    call.exchange.account = key.account
    key.require(scope)
    keys.count_request(call, key, limit=settings.rate_limit, window_s=settings.rate_window_s)
    return key
