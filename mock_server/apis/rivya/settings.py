"""Rivya's settings."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mock_server.apis import setting_types as common
from mock_server.config.settings import HEADER_NAME
from mock_server.core.field_types import Seconds
from mock_server.core.lifetimes import Lifetimes


class RivyaSettings(Struct, frozen=True):
    """Settings for behaviour that Rivya's documents do not define."""

    api_enabled: Annotated[bool, Meta(description="false: everything is public_api_disabled")] = (
        True
    )
    create_status: Annotated[
        Literal[200, 201, 202], Meta(description="status of a successful create or upload")
    ] = 200
    insufficient_credits_status: Annotated[
        int, Meta(ge=400, le=499, description="status of insufficient_credits")
    ] = 402
    params: Annotated[
        Literal["strict", "lenient"],
        Meta(description="lenient lets unknown params, true and 6 through"),
    ] = "strict"
    references: Annotated[
        Literal["any", "own"], Meta(description="own: references must be the account's uploads")
    ] = "any"
    prompt_unit: Annotated[
        Literal["utf16", "codepoints"], Meta(description="what the prompt limit counts")
    ] = "utf16"
    rate_limit: common.RateLimit = 0
    rate_window_s: common.RateWindow = 60.0
    in_flight: common.InFlight = 0
    retry_after: common.RetryAfter = True
    webhook_waits_s: Annotated[
        tuple[Seconds, ...], Meta(description="seconds before each new attempt at a webhook")
    ] = (30.0, 120.0, 600.0, 3600.0, 21600.0)
    gone_disables: Annotated[
        bool, Meta(description="switch a webhook endpoint off that answers 410")
    ] = False
    rotation_overlap_s: Annotated[
        Seconds, Meta(description="seconds a replaced secret still signs beside the new one")
    ] = 0.0
    webhook_signature: Annotated[
        Literal["rivya", "standard"],
        Meta(description="how webhooks are signed; standard: as Standard Webhooks has it"),
    ] = "rivya"
    signature_header: Annotated[
        str, Meta(pattern=HEADER_NAME, description="the header of Rivya's own signature")
    ] = "Rivya-Signature"
    media_lifetime_s: common.MediaLifetime = 0.0
    media_expired_status: common.MediaExpiredStatus = 403
    task_lifetime_s: common.TaskLifetime = 0.0
    file_lifetime_s: Annotated[
        Seconds, Meta(description="seconds an upload and its URL are kept; 0: for ever")
    ] = 0.0

    @property
    def lifetimes(self) -> Lifetimes:
        """How long things are kept."""
        return common.lifetimes(self, file_s=self.file_lifetime_s)
