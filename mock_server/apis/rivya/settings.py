"""Rivya's settings."""

from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import replace

from mock_server.apis.setting_types import AnyNumber, RateWindow, VendorSettings
from mock_server.config.settings import HEADER_NAME
from mock_server.core.field_types import Seconds
from mock_server.core.lifetimes import ExpiredStatus, Lifetimes


class RivyaSettings(VendorSettings, frozen=True):
    """Settings for behaviour that Rivya's documents do not define.

    api_enabled: false: everything is public_api_disabled
    create_status: status of a successful create or upload
    insufficient_credits_status: status of insufficient_credits
    params: lenient lets unknown params, true and 6 through
    references: own: references must be the account's uploads
    prompt_unit: what the prompt limit counts
    webhook_waits_s: seconds before each new attempt at a webhook
    gone_disables: switch a webhook endpoint off that answers 410
    rotation_overlap_s: seconds a replaced secret still signs beside the new one
    webhook_signature: how webhooks are signed; standard: as Standard Webhooks has it
    signature_header: the header of Rivya's own signature
    file_lifetime_s: seconds an upload and its URL are kept; 0: for ever
    """

    api_enabled: bool = True
    create_status: Literal[200, 201, 202] = 200
    insufficient_credits_status: Annotated[int, Meta(ge=400, le=499)] = 402
    params: Literal["strict", "lenient"] = "strict"
    references: Literal["any", "own"] = "any"
    prompt_unit: Literal["utf16", "codepoints"] = "utf16"
    rate_limit: AnyNumber = 0
    rate_window_s: RateWindow = 60.0
    in_flight: AnyNumber = 0
    retry_after: bool = True
    webhook_waits_s: tuple[Seconds, ...] = (30.0, 120.0, 600.0, 3600.0, 21600.0)
    gone_disables: bool = False
    rotation_overlap_s: Seconds = 0.0
    webhook_signature: Literal["rivya", "standard"] = "rivya"
    signature_header: Annotated[str, Meta(pattern=HEADER_NAME)] = "Rivya-Signature"
    media_lifetime_s: Seconds = 0.0
    media_expired_status: ExpiredStatus = 403
    task_lifetime_s: Seconds = 0.0
    file_lifetime_s: Seconds = 0.0

    @property
    def lifetimes(self) -> Lifetimes:
        """How long things are kept."""
        return replace(super().lifetimes, file_ms=round(self.file_lifetime_s * 1000))
