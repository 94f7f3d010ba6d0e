"""What may stand in an HTTP header (RFC 9110, 5.1 and 5.5), for values that end up in one."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7E]*$")]
NonEmptyHeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7E]+$")]
