"""How long an API keeps tasks, videos and uploads."""

from typing import Literal

from msgspec import Struct

from mock_server.core.clock import LAST_MS, Clock
from mock_server.core.field_types import Milliseconds

ExpiredStatus = Literal[403, 404, 410]


class Lifetimes(Struct, frozen=True, forbid_unknown_fields=True):
    """How long an API keeps things, on the world's clock; 0: for ever.

    media_ms: the URL of a video, from the end of its task. task_ms: a task, from its end. file_ms:
    an upload and its URL. expired_status: of an expired URL.
    """

    media_ms: Milliseconds = 0
    task_ms: Milliseconds = 0
    file_ms: Milliseconds = 0
    expired_status: ExpiredStatus = 403

    def file_expires_ms(self, now_ms: int) -> int | None:
        """When an upload of now expires; None: never."""
        expires_ms = now_ms + self.file_ms
        return expires_ms if self.file_ms and expires_ms <= LAST_MS else None


FOR_EVER = Lifetimes()
"""Nothing expires."""


def is_over(lifetime_ms: int, began_ms: int, clock: Clock) -> bool:
    """Whether a lifetime is over; 0: it never is."""
    return lifetime_ms > 0 and clock.now_ms() >= began_ms + lifetime_ms
