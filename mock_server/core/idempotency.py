"""Same key, same body: same task. Same key, other body: refusal. Nothing else is remembered.

Only accepted requests are kept, so that after a refusal the caller can correct the body, or top
up, and use the key again. A key is forgotten `lifetime_ms` after its task was made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct

from mock_server.core.clock import LAST_MS, capped_ms
from mock_server.core.refusals import IdempotencyMismatch, IdempotencyRunning


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key within its scope: the same value elsewhere is another key.

    body_digest: stands for the meaning of the body it came with, not for its spelling.
    """

    account: str
    operation: str
    value: str
    body_digest: bytes

    @property
    def scope(self) -> tuple[str, str, str]:
        """What the key is looked up by."""
        return (self.account, self.operation, self.value)


class KeptKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key that is taken: by what body, which task it led to, and when it is free again.

    request: the id of the request that made the task; empty if that is not known.
    """

    account: str
    operation: str
    value: str
    body_digest: bytes
    task_id: str
    expires_ms: int
    request: str = ""


class Idempotency:
    """Which keys are taken, by what body, and which task each led to."""

    def __init__(self, lifetime_ms: int) -> None:
        self._lifetime_ms = lifetime_ms
        # Oldest first, because time never goes back: whatever has expired is at the front.
        self._kept: dict[tuple[str, str, str], tuple[bytes, str, int, str]] = {}
        self._unanswered: set[tuple[str, str, str]] = set()

    def state(self) -> tuple[KeptKey, ...]:
        """Every key that is taken, oldest first; whether it is answered is left out."""
        return tuple(
            KeptKey(*scope, body_digest, task_id, expires_ms, request)
            for scope, (body_digest, task_id, expires_ms, request) in self._kept.items()
        )

    def restore(self, kept: Iterable[KeptKey]) -> None:
        """Have these keys taken and answered, and no others."""
        self._unanswered = set()
        self._kept = {
            (each.account, each.operation, each.value): (
                each.body_digest,
                each.task_id,
                each.expires_ms,
                each.request,
            )
            for each in kept
        }

    def task_of(self, key: IdempotencyKey, now_ms: int) -> str | None:
        """The id of the task this key led to, or None if the key is free.

        Refuses with IdempotencyMismatch if another body took the key, and with
        IdempotencyRunning as long as the first request with it has had no answer.
        """
        self._forget_expired(now_ms)
        if key.scope not in self._kept:
            return None
        body_digest, task_id, *_ = self._kept[key.scope]
        if body_digest != key.body_digest:
            raise IdempotencyMismatch(
                "this Idempotency-Key was used with another body; another request needs a new key"
            )
        if key.scope in self._unanswered:
            raise IdempotencyRunning(
                "the first request with this Idempotency-Key has no answer yet; try again"
            )
        return task_id

    def request_of(self, key: IdempotencyKey) -> str:
        """The id of the request that took this key; empty if that is not known."""
        return self._kept[key.scope][3]

    def keep(self, key: IdempotencyKey, task_id: str, now_ms: int, request: str = "") -> None:
        """Remember where a free key led; it counts as running until `answered`.

        request: the id of the request that made the task.
        """
        expires_ms = capped_ms(now_ms + self._lifetime_ms)
        self._kept[key.scope] = (key.body_digest, task_id, expires_ms, request)
        self._unanswered.add(key.scope)

    def answered(self, key: IdempotencyKey) -> None:
        """The first request with this key has ended, with an answer or without."""
        self._unanswered.discard(key.scope)

    def _forget_expired(self, now_ms: int) -> None:
        while self._kept and now_ms < LAST_MS:  # at the end of time no lifetime passes any more
            oldest = next(iter(self._kept))
            if self._kept[oldest][2] > now_ms:
                return
            del self._kept[oldest]
