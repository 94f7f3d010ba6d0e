"""Ace Data Cloud's settings."""

from typing import Literal

from mock_server.apis.setting_types import AnyNumber, RateWindow, VendorSettings
from mock_server.core.field_types import Seconds
from mock_server.core.lifetimes import ExpiredStatus


class AceDataSettings(VendorSettings, frozen=True):
    """Settings for behaviour that Ace Data Cloud's documents do not define.

    implemented: false: every path is api_not_implemented
    hold_limit_s: longest seconds a request is held open before 504
    moderated_words: a prompt with one of these words is forbidden
    failed_task_finished_at: whether a failed task shows finished_at and elapsed
    callback_waits_s: seconds before each new attempt; none: one attempt
    sign_callbacks: sign callbacks if the request held a callback_secret
    first_image_url_in_results: which answers show first_image_url
    """

    implemented: bool = True
    hold_limit_s: Seconds = 1800.0
    moderated_words: tuple[str, ...] = ()
    failed_task_finished_at: bool = True
    callback_waits_s: tuple[Seconds, ...] = ()
    sign_callbacks: bool = False
    first_image_url_in_results: Literal["documented", "always", "never"] = "documented"
    rate_limit: AnyNumber = 0
    rate_window_s: RateWindow = 60.0
    in_flight: AnyNumber = 0
    retry_after: bool = True
    media_lifetime_s: Seconds = 30 * 24 * 3600.0
    media_expired_status: ExpiredStatus = 403
    task_lifetime_s: Seconds = 0.0
