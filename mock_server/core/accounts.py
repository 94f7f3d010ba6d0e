"""Keys: the account and the scopes of each, and why a key is refused."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mock_server.core.clock import Clock
from mock_server.core.field_types import Count, VisibleText
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


class Key(Struct, frozen=True):
    """A credential of one account for one API. What it makes belongs to the account.

    rate_limit: requests per window for this key; None: the API's own limit.
    in_flight: tasks that may not have ended; None: the API's own limit, 0: any number.
    """

    secret: VisibleText
    account: str
    api: str
    scopes: frozenset[str] = frozenset()
    revoked: bool = False
    disabled: bool = False
    expires_ms: int | None = None
    rate_limit: Count | None = None
    in_flight: Count | None = None

    def require(self, scope: str) -> None:
        """Refuses with ScopeDenied unless the key holds `scope`."""
        if scope not in self.scopes:
            raise ScopeDenied(f"this key lacks the scope {scope}")


class KeyRing:
    """All keys of a world."""

    def __init__(
        self,
        keys: Iterable[Key],
        also_hidden: Iterable[str] = (),
        key_prefixes: Iterable[str] = (),
    ) -> None:
        """also_hidden: other secrets that `redaction` hides. key_prefixes: as for Redaction."""
        self._keys = {key.secret: key for key in keys}
        self._also_hidden = tuple(also_hidden)
        self.key_prefixes = tuple(key_prefixes)
        self._redaction: Redaction | None = None

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    def put(self, key: Key) -> None:
        """Add a key, in place of one with the same secret."""
        self._keys[key.secret] = key
        self._redaction = None

    @property
    def redaction(self) -> Redaction:
        """Hides every key in text that is shown."""
        if self._redaction is None:
            self._redaction = Redaction([*self._keys, *self._also_hidden], self.key_prefixes)
        return self._redaction

    def get(self, secret: str) -> Key | None:
        """The key with this secret, also a revoked or expired one."""
        return self._keys.get(secret)

    def admit(self, secret: str | None, api: str, clock: Clock) -> Key:
        """The key, if it is valid for this API now; otherwise refuses with a KeyRefused."""
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
        if key.expires_ms is not None and clock.now_ms() >= key.expires_ms:
            raise KeyExpired("this key has expired")
        return key
