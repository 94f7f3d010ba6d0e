"""Changes that make a broken server accept keys."""

from __future__ import annotations

from collections.abc import Callable

from contract_tests.broken.broken_server import SentRequest
from contract_tests.conformance import api_of
from contract_tests.fakes import KEYS


def accept_keys_where(is_accepted: Callable[[str], bool]) -> Callable[[SentRequest], None]:
    """A change of the keys for which this is true into the account's own key."""

    def change(sent: SentRequest) -> None:
        if is_accepted(sent.key):
            use_own_key(sent)

    return change


def accept_keys(*keys: str) -> Callable[[SentRequest], None]:
    """A change of these keys into the account's own key."""
    return accept_keys_where(lambda key: key in keys)


def accept_no_key(sent: SentRequest) -> None:
    """Add the account's own key to a request without a key."""
    if "authorization" not in sent.headers:
        use_own_key(sent)


def use_own_key(sent: SentRequest) -> None:
    """Replace the key of a request by the account's own key."""
    sent.key = KEYS[api_of(sent.path) or "rivya"]["own"]
