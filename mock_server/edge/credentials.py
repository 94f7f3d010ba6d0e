"""Credentials in request headers: found by the header's name, and not kept with the request."""

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from mock_server.core.accounts import KeyRing
from mock_server.core.credential_headers import holds_credential
from mock_server.core.journal import Headers
from mock_server.core.redaction import REDACTED, Redaction
from mock_server.edge.short_key_cache import cached_for_short_keys

_REDACTED = REDACTED.encode()
_MIN_CHARS, _MAX_CHARS = 10, 4096
"""Length of an unknown credential that is also hidden elsewhere in its request.

A shorter one is a mistake that the refusal names, such as `undefined`.
"""

_MAX_CACHED_CHARS = 1024
"""Results are cached for requests whose header names have at most this length together."""

_PIECE = re.compile(r"[^\s\"'`<>(){}\[\],;:=\\]{8,}+(?!=[^=\s,;])")
"""A possible key in a header's value: no quotes, no commas, no name before an equals sign."""


class Authorization(NamedTuple):
    """The scheme of an Authorization header and the credential after it, both unchanged."""

    scheme: str
    credential: str


@cached_for_short_keys
def read_authorization(header: bytes) -> Authorization:
    """Split a header's value at its first space. An empty value stands for a missing header."""
    scheme, _, credential = header.decode("latin-1").partition(" ")
    return Authorization(scheme, credential)


def is_credential(name: str) -> bool:
    """Whether a header of this name holds a credential."""
    return holds_credential(name.lower().encode("latin-1", "replace"))


def without_credentials(headers: Headers, indexes: Sequence[int] | None = None) -> Headers:
    """The headers, with each credential replaced. indexes: what `credential_indexes` returns."""
    kept = list(headers)
    for index in credential_indexes(headers) if indexes is None else indexes:
        kept[index] = (headers[index][0], _REDACTED)
    return kept


def foreign_credentials(
    headers: Headers, keys: KeyRing, indexes: Sequence[int] | None = None
) -> Redaction | None:
    """Hides the credentials in these headers that this server does not know; None if it knows all.
    Known keys are hidden in all output. A key of the real service, sent by mistake, is recognized
    by its header only, so it is looked for while the headers are available.
    indexes: what `credential_indexes` returns."""
    foreign: set[str] = set()
    for index in credential_indexes(headers) if indexes is None else indexes:
        name, value = headers[index]
        if _MIN_CHARS <= len(value) <= _MAX_CHARS:
            scheme, credential = _parts(name, value)
            key, _, _ = credential.partition("+")  # the name of a scenario may follow
            if keys.get(key) is None and keys.get(credential) is None:
                foreign |= {credential, key, *_pieces(scheme, credential)}
    if not foreign:
        return None
    foreign = {each for each in foreign if len(each) >= _MIN_CHARS and keys.get(each) is None}
    return Redaction(foreign, keys.key_prefixes) if foreign else None


def credential_indexes(headers: Headers) -> Sequence[int]:
    """The index of each header that holds a credential."""
    names = tuple([name for name, _ in headers])
    if len(b"".join(names)) > _MAX_CACHED_CHARS:
        return _indexes(names)
    return _cached_indexes(names)


def _indexes(names: tuple[bytes, ...]) -> Sequence[int]:
    return [index for index, name in enumerate(names) if holds_credential(name.lower())]


# A client sends the same names with each request.
_cached_indexes = lru_cache(maxsize=256)(_indexes)


def _parts(name: bytes, value: bytes) -> tuple[str, str]:
    if not name.endswith(b"authorization"):
        return "", value.decode("latin-1")
    scheme, credential = read_authorization(value)
    return (scheme, credential.strip()) if credential else ("", scheme)


def _pieces(scheme: str, credential: str) -> Iterator[str]:
    """The possible keys in a credential that is not a bare key: quoted, a cookie, a pair."""
    for piece in _PIECE.findall(credential):
        yield piece
        yield piece.partition("+")[0]
    if scheme.lower() == "basic":
        try:
            pair = b64decode(credential, validate=True).decode("latin-1")
        except ValueError:
            return
        yield from pair.split(":", 1)
