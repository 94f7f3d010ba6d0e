"""Settings that several APIs have: their types and sentences."""

from typing import Annotated, Protocol

from msgspec import Meta

from mock_server.core.field_types import Seconds
from mock_server.core.lifetimes import ExpiredStatus, Lifetimes

RateLimit = Annotated[int, Meta(ge=0, description="requests per window and key; 0: any number")]
RateWindow = Annotated[
    float, Meta(gt=0, le=10**9, description="length of a rate window in seconds")
]
InFlight = Annotated[
    int, Meta(ge=0, description="tasks of a key that have not ended; 0: any number")
]
RetryAfter = Annotated[bool, Meta(description="send Retry-After with a 429")]
MediaLifetime = Annotated[
    Seconds, Meta(description="seconds a video's URL works, from its end; 0: for ever")
]
MediaExpiredStatus = Annotated[
    ExpiredStatus, Meta(description="status of an expired URL: 403, 404 or 410")
]
TaskLifetime = Annotated[
    Seconds, Meta(description="seconds a task is known after its end; 0: for ever")
]


class _Kept(Protocol):
    """The settings of an API for how long it keeps things."""

    @property
    def media_lifetime_s(self) -> float: ...
    @property
    def media_expired_status(self) -> ExpiredStatus: ...
    @property
    def task_lifetime_s(self) -> float: ...


def lifetimes(kept: _Kept, *, file_s: float = 0) -> Lifetimes:
    """How long an API with these settings keeps things."""
    return Lifetimes(
        media_ms=round(kept.media_lifetime_s * 1000),
        task_ms=round(kept.task_lifetime_s * 1000),
        file_ms=round(file_s * 1000),
        expired_status=kept.media_expired_status,
    )
