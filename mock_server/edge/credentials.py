"""Headers that open doors. What stands in them is not kept with a request, wherever it stands."""

from __future__ import annotations

from mock_server.core.accounts import KeyRing
from mock_server.core.journal import Headers
from mock_server.core.redaction import REDACTED, Redaction
from mock_server.edge.authorization import read_authorization

_NAMES = frozenset(
    {
        b"authorization",
        b"cookie",
        b"mock-control-token",
        b"proxy-authorization",
        b"set-cookie",
        b"x-api-key",
    }
)
_REDACTED = REDACTED.encode()
_SHORTEST, _LONGEST = 8, 4096
"""Characters of a credential of nobody's that is looked for elsewhere in its request, too."""


def is_credential(name: str) -> bool:
    """Whether a header of this name opens a door."""
    return name.lower().encode("latin-1", "replace") in _NAMES


def without_credentials(headers: Headers) -> Headers:
    """The headers with nothing in them that opens a door."""
    return [(name, _REDACTED if name.lower() in _NAMES else value) for name, value in headers]


def foreign_credentials(headers: Headers, keys: KeyRing) -> Redaction | None:
    """Hides the credentials in these headers that nobody issued here; None if there are none.

    What was issued here is hidden in all that is shown. A key of the real service, sent here by
    mistake, is known by its header alone: it has to be found while that is at hand.
    """
    foreign: list[str] = []
    for name, value in [header for header in headers if header[0] in _NAMES]:
        if _SHORTEST <= len(value) <= _LONGEST:
            credential = _credential(name, value)
            key, _, _ = credential.partition("+")  # the name of a scenario may follow
            if keys.get(key) is None and keys.get(credential) is None:
                foreign += (each for each in (credential, key) if len(each) >= _SHORTEST)
    return Redaction(foreign) if foreign else None


def _credential(name: bytes, value: bytes) -> str:
    if not name.endswith(b"authorization"):
        return value.decode("latin-1")
    scheme, credential = read_authorization(value)
    return (credential or scheme).strip()
