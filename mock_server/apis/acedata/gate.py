"""Admission: the token is checked first, the rate limit after the body (assumed)."""

from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.core.accounts import Key
from mock_server.core.refusals import ApiSwitchedOff
from mock_server.edge import keys
from mock_server.edge.call import Call


def admit(call: Call) -> Key:
    """The caller's key. Refuses with ApiSwitchedOff or a KeyRefused."""
    if not call.server.settings.of(AceDataSettings).implemented:
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
    settings = call.server.settings.of(AceDataSettings)
    keys.count_request(call, key, limit=settings.rate_limit, window_s=settings.rate_window_s)
