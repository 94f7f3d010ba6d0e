"""Who may come in, and how often: token first, limits when the body is right (assumed)."""

from __future__ import annotations

from mock_server.core.accounts import Key
from mock_server.core.refusals import ApiSwitchedOff
from mock_server.edge.call import Call


def admit(call: Call) -> Key:
    """The caller's key. Refuses with ApiSwitchedOff or a KeyRefused."""
    if not call.fake.settings.acedata.implemented:
        raise ApiSwitchedOff("this path is registered and has no implementation for now")
    world = call.world
    token = _token(call.header(b"authorization"))
    if token is not None:
        token, _ = call.without_scenario(token)
    key = world.keys.admit(token, "acedata", world.clock.now_ms())
    call.exchange.account = key.account
    return key


def count(call: Call, key: Key) -> None:
    """Count this request of the key. Refuses with RateLimited past its limit."""
    settings = call.fake.settings.acedata
    call.world.rates.count(
        key.secret,
        call.world.clock.now_ms(),
        limit=settings.rate_limit if key.rate_limit is None else key.rate_limit,
        window_ms=round(settings.rate_window_s * 1000),
    )


def _token(header: str | None) -> str | None:
    """The token, if the header holds one. The prefix is case-sensitive, with one space after it
    (docs:D1); a header of any other form counts as none (acedata-malformed-header)."""
    prefix, _, token = (header or "").partition(" ")
    return token if prefix == "Bearer" and token else None
