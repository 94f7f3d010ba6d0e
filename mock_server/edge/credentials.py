"""Headers that open doors. What stands in them is not kept with a request, wherever it stands."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from functools import lru_cache

from mock_server.core.accounts import KeyRing
from mock_server.core.journal import Headers
from mock_server.core.redaction import REDACTED, Redaction
from mock_server.edge.authorization import read_authorization

_OPENS_A_DOOR = re.compile(
    rb"(?:.*[-_])?(?:authorization|authentication|auth|bearer|cookie2?|credentials?|jwt|password"
    rb"|secret|session|token|(?:api)?key)",
    re.IGNORECASE,
)
_OPEN_NOTHING = frozenset({b"idempotency-key", b"sec-websocket-key"})
_REDACTED = REDACTED.encode()
_SHORTEST, _LONGEST = 10, 4096
"""Characters of a credential of nobody's that is looked for elsewhere in its request, too.

A shorter one is a slip that has to be told, such as `undefined`.
"""


_LONGEST_NAMES = 1024
"""Characters of the names of headers that are kept in the cache."""

_PIECE = re.compile(r"[^\s\"'`<>(){}\[\],;:=\\]{8,}+(?!=[^=\s,;])")
"""Of a header's value: a key without quotes and commas, but no name before an equals sign."""


def is_credential(name: str) -> bool:
    """Whether a header of this name opens a door."""
    return _opens_a_door(name.lower().encode("latin-1", "replace"))


def _opens_a_door(name: bytes) -> bool:
    return name not in _OPEN_NOTHING and _OPENS_A_DOOR.fullmatch(name) is not None


def without_credentials(headers: Headers) -> Headers:
    """The headers with nothing in them that opens a door."""
    kept = list(headers)
    for place in _places(headers):
        kept[place] = (headers[place][0], _REDACTED)
    return kept


def foreign_credentials(headers: Headers, keys: KeyRing) -> Redaction | None:
    """Hides the credentials in these headers that nobody issued here; None if there are none.

    What was issued here is hidden in all that is shown. A key of the real service, sent here by
    mistake, is known by its header alone: it has to be found while that is at hand.
    """
    foreign: set[str] = set()
    for place in _places(headers):
        name, value = headers[place]
        if _SHORTEST <= len(value) <= _LONGEST:
            scheme, credential = _parts(name, value)
            key, _, _ = credential.partition("+")  # the name of a scenario may follow
            if keys.get(key) is None and keys.get(credential) is None:
                foreign |= {credential, key, *_pieces(scheme, credential)}
    foreign = {each for each in foreign if len(each) >= _SHORTEST and keys.get(each) is None}
    return Redaction(foreign) if foreign else None


def _places(headers: Headers) -> Sequence[int]:
    """Where in these headers something stands that opens a door."""
    names = tuple([name for name, _ in headers])
    if sum(map(len, names)) > _LONGEST_NAMES:
        return _places_of(names)
    return _known_places_of(names)


def _places_of(names: tuple[bytes, ...]) -> Sequence[int]:
    return [place for place, name in enumerate(names) if _opens_a_door(name.lower())]


# A client sends the same names again and again.
_known_places_of = lru_cache(maxsize=256)(_places_of)


def _parts(name: bytes, value: bytes) -> tuple[str, str]:
    """The scheme, if there is one, and the credential."""
    if not name.endswith(b"authorization"):
        return "", value.decode("latin-1")
    scheme, credential = read_authorization(value)
    return (scheme, credential.strip()) if credential else ("", scheme)


def _pieces(scheme: str, credential: str) -> Iterator[str]:
    """What may be a key in a credential that is more than a key: quoted, a cookie, a pair."""
    for piece in _PIECE.findall(credential):
        yield piece
        yield piece.partition("+")[0]
    if scheme.lower() == "basic":
        try:
            pair = b64decode(credential, validate=True).decode("latin-1")
        except ValueError:
            return
        yield from pair.split(":", 1)
