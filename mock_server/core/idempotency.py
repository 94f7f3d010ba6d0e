"""Idempotency keys. Same key, same body: same task. Same key, other body: refusal.

Only the keys of accepted requests are kept: after a refusal the caller can use the key again. A key
expires `lifetime_ms` after its task was made.
"""

from collections.abc import Iterable

from msgspec import Struct

from mock_server.core.clock import LAST_MS, capped_ms
from mock_server.core.marks import Marks
from mock_server.core.refusals import IdempotencyMismatch, IdempotencyRunning


class IdempotencyKey(Struct, frozen=True):
    """The key of a request. body_digest: of the parsed body, so white space makes no difference."""

    account: str
    operation: str
    value: str
    body_digest: bytes

    @property
    def scope(self) -> tuple[str, str, str]:
        """Account, operation and value. Two keys with the same scope are the same key."""
        return (self.account, self.operation, self.value)


class KeptKey(IdempotencyKey, frozen=True, forbid_unknown_fields=True, gc=False):
    """A used key: its body, its task, and when it expires.

    request: the id of the request that made the task; empty if it is unknown.
    """

    task_id: str
    expires_ms: int
    request: str = ""


class Idempotency:
    """The used keys of a world, each with its body and its task."""

    def __init__(self, lifetime_ms: int, marks: Marks | None = None) -> None:
        self._marks = marks or Marks()
        self.lifetime_ms = lifetime_ms
        # Oldest first, because time never goes back: expired keys come first.
        self._kept: dict[tuple[str, str, str], KeptKey] = {}
        self._unanswered: set[tuple[str, str, str]] = set()

    def state(self) -> tuple[KeptKey, ...]:
        """All used keys, oldest first. It does not contain which requests have been answered."""
        return tuple(self._kept.values())

    def restore(self, kept: Iterable[KeptKey]) -> None:
        """Replace the whole state; the requests of these keys count as answered."""
        self._unanswered = set()
        self._kept = {each.scope: each for each in kept}

    def get(self, scope: tuple[str, str, str]) -> KeptKey | None:
        """The used key with this scope; None if there is none."""
        return self._kept.get(scope)

    def task_of(self, key: IdempotencyKey, now_ms: int) -> str | None:
        """The id of the task that was made with this key; None if the key is unused.

        Refuses with IdempotencyMismatch if it was used with another body, and with
        IdempotencyRunning until the first request with it is answered.
        """
        self.delete_expired(now_ms)
        kept = self._kept.get(key.scope)
        if kept is None:
            return None
        if kept.body_digest != key.body_digest:
            raise IdempotencyMismatch(
                "this Idempotency-Key was used with another body; another request needs a new key"
            )
        if key.scope in self._unanswered:
            raise IdempotencyRunning(
                "the first request with this Idempotency-Key has no answer yet; try again"
            )
        return kept.task_id

    def request_of(self, key: IdempotencyKey) -> str:
        """The id of the request that first used this key; empty if it is unknown."""
        return self._kept[key.scope].request

    def keep(self, key: IdempotencyKey, task_id: str, now_ms: int, request: str = "") -> None:
        """Store an unused key with its task; it counts as running until `mark_answered`."""
        self._marks.mark("idempotency", key.scope)
        expires_ms = capped_ms(now_ms + self.lifetime_ms)
        self._kept[key.scope] = KeptKey(*key.scope, key.body_digest, task_id, expires_ms, request)
        self._unanswered.add(key.scope)

    def mark_answered(self, key: IdempotencyKey) -> None:
        """Note that the first request with this key has ended, with an answer or without."""
        self._unanswered.discard(key.scope)

    def delete_expired(self, now_ms: int) -> None:
        """Delete the keys that have expired."""
        while self._kept and now_ms < LAST_MS:  # at LAST_MS time stands still, so no key expires
            oldest = next(iter(self._kept))
            if self._kept[oldest].expires_ms > now_ms:
                return
            self._marks.mark("idempotency", oldest)
            del self._kept[oldest]
