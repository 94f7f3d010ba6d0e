"""Ace Data Cloud's settings."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mock_server.apis import setting_types as common
from mock_server.core.field_types import Seconds
from mock_server.core.lifetimes import Lifetimes


class AceDataSettings(Struct, frozen=True):
    """Settings for behaviour that Ace Data Cloud's documents do not define."""

    implemented: Annotated[bool, Meta(description="false: every path is api_not_implemented")] = (
        True
    )
    hold_limit_s: Annotated[
        Seconds, Meta(description="longest seconds a request is held open before 504")
    ] = 1800.0
    moderated_words: Annotated[
        tuple[str, ...], Meta(description="a prompt with one of these words is forbidden")
    ] = ()
    failed_task_finished_at: Annotated[
        bool, Meta(description="whether a failed task shows finished_at and elapsed")
    ] = True
    callback_waits_s: Annotated[
        tuple[Seconds, ...], Meta(description="seconds before each new attempt; none: one attempt")
    ] = ()
    sign_callbacks: Annotated[
        bool, Meta(description="sign callbacks if the request held a callback_secret")
    ] = False
    first_image_url_in_results: Annotated[
        Literal["documented", "always", "never"],
        Meta(description="which answers show first_image_url"),
    ] = "documented"
    rate_limit: common.RateLimit = 0
    rate_window_s: common.RateWindow = 60.0
    in_flight: common.InFlight = 0
    retry_after: common.RetryAfter = True
    media_lifetime_s: common.MediaLifetime = 30 * 24 * 3600.0
    media_expired_status: common.MediaExpiredStatus = 403
    task_lifetime_s: common.TaskLifetime = 0.0

    @property
    def lifetimes(self) -> Lifetimes:
        """How long things are kept."""
        return common.lifetimes(self)
