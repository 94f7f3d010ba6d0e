"""Keys: whose they are, what they may do, and why one is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mock_server.core.header_text import VisibleText
from mock_server.core.numbers import Count
from mock_server.core.redaction import Redaction
from mock_server.core.refusals import (
    KeyDisabled,
    KeyExpired,
    KeyMissing,
    KeyOfAnotherService,
    KeyRevoked,
    KeyUnknown,
    ScopeDenied,
)


@dataclass(frozen=True, slots=True)
class Key:
    """A credential of one account for one API. Everything it makes belongs to the account.

    rate_limit: requests per window for this key alone; None leaves the API's own limit.
    """

    secret: VisibleText
    account: str
    api: str
    scopes: frozenset[str] = frozenset()
    revoked: bool = False
    disabled: bool = False
    expires_ms: int | None = None
    rate_limit: Count | None = None

    def require(self, scope: str) -> None:
        """Refuses with ScopeDenied unless the key holds `scope`."""
        if scope not in self.scopes:
            raise ScopeDenied(f"this key lacks the scope {scope}")


class KeyRing:
    """Every key of a world, and who may enter with it."""

    def __init__(self, keys: Iterable[Key], also_hidden: Iterable[str] = ()) -> None:
        """also_hidden: what `redaction` hides beside the keys."""
        self._keys = {key.secret: key for key in keys}
        self._also_hidden = tuple(also_hidden)
        self._redaction: Redaction | None = None

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def put(self, key: Key) -> None:
        """Issue a key, or change the one with the same secret."""
        self._keys[key.secret] = key
        self._redaction = None

    @property
    def redaction(self) -> Redaction:
        """Hides every key in what people look at."""
        if self._redaction is None:
            self._redaction = Redaction([*self._keys, *self._also_hidden])
        return self._redaction

    def get(self, secret: str) -> Key | None:
        """The key, whatever state it is in."""
        return self._keys.get(secret)

    def admit(self, secret: str | None, api: str, now_ms: int) -> Key:
        """The key, if it opens this API now; refuses with the KeyRefused that says why not."""
        if not secret:
            raise KeyMissing("no key came with the request: send 'Authorization: Bearer KEY'")
        key = self._keys.get(secret)
        if key is None:
            raise KeyUnknown("this key was never issued")
        if key.api != api:
            raise KeyOfAnotherService(f"this key is for {key.api}, not for {api}")
        if key.revoked:
            raise KeyRevoked("this key was revoked")
        if key.disabled:
            raise KeyDisabled("this key is switched off")
        if key.expires_ms is not None and now_ms >= key.expires_ms:
            raise KeyExpired("this key has expired")
        return key
