"""Who may come in, and how often: token first, limits when the body is right (assumed)."""

from __future__ import annotations

from mock_server.core.accounts import Key
from mock_server.core.refusals import ApiSwitchedOff
from mock_server.edge import keys
from mock_server.edge.call import Call


def admit(call: Call) -> Key:
    """The caller's key. Refuses with ApiSwitchedOff or a KeyRefused."""
    if not call.fake.settings.acedata.implemented:
        raise ApiSwitchedOff("this path is registered and has no implementation for now")
    # The prefix is case-sensitive, with one space after it (docs:D1); a header of any other form
    # counts as none (acedata-malformed-header).
    scheme, token = call.authorization
    secret = call.without_scenario(token)[0] if scheme == "Bearer" else None
    key = keys.admit(call, secret, "acedata", is_exact=True)
    call.exchange.account = key.account
    return key


def count(call: Call, key: Key) -> None:
    """Count this request of the key. Refuses with RateLimited past its limit."""
    settings = call.fake.settings.acedata
    limit = settings.rate_limit if key.rate_limit is None else key.rate_limit
    if limit:
        clock = call.world.clock
        call.world.rates.count(
            key.secret,
            clock.now_ms(),
            limit=limit,
            window_ms=round(settings.rate_window_s * 1000),
            scale=clock.scale_for_callers,
        )
