"""Settings that several APIs have."""

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from mock_server.core.field_types import Seconds
from mock_server.core.lifetimes import ExpiredStatus, Lifetimes

AnyNumber = Annotated[int, Meta(ge=0)]
RateWindow = Annotated[float, Meta(gt=0, le=10**9)]


class VendorSettings(Struct, frozen=True):
    """Settings that several APIs have. Each declares them in its own order, with its own defaults.

    rate_limit: requests per window and key; 0: any number
    rate_window_s: length of a rate window in seconds
    in_flight: tasks of a key that have not ended; 0: any number
    retry_after: send Retry-After with a 429
    media_lifetime_s: seconds a video's URL works, from its end; 0: for ever
    media_expired_status: status of an expired URL: 403, 404 or 410
    task_lifetime_s: seconds a task is known after its end; 0: for ever
    """

    if TYPE_CHECKING:
        media_lifetime_s: Seconds
        media_expired_status: ExpiredStatus
        task_lifetime_s: Seconds

    @property
    def lifetimes(self) -> Lifetimes:
        """How long things are kept."""
        return Lifetimes(
            media_ms=round(self.media_lifetime_s * 1000),
            task_ms=round(self.task_lifetime_s * 1000),
            expired_status=self.media_expired_status,
        )
