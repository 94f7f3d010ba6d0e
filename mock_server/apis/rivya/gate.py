"""Who may come in: switch, key, scope, rate limit, in this order (assumed, cheapest first)."""

from __future__ import annotations

from mock_server.core.accounts import Key
from mock_server.core.refusals import ApiSwitchedOff
from mock_server.edge import keys
from mock_server.edge.call import Call


def require_api(call: Call) -> None:
    """Refuses with ApiSwitchedOff while the public API is off."""
    if not call.fake.settings.rivya.api_enabled:
        raise ApiSwitchedOff("the public API is switched off for now; try again later")


def admit(call: Call, scope: str) -> Key:
    """The caller's key. Refuses as the order of checks has it, before any body is read."""
    require_api(call)
    settings = call.fake.settings.rivya
    world = call.world
    # Any other scheme counts as no key at all.
    secret = call.credential[0] if call.authorization.scheme.lower() == "bearer" else None
    key = keys.admit(call, secret, "rivya", is_exact=False)
    call.exchange.account = key.account
    key.require(scope)
    limit = settings.rate_limit if key.rate_limit is None else key.rate_limit
    if limit and not call.is_counted:
        world.rates.count(
            key.secret,
            world.clock.now_ms(),
            limit=limit,
            window_ms=round(settings.rate_window_s * 1000),
            scale=world.clock.scale_for_callers,
        )
        call.is_counted = True
    return key
