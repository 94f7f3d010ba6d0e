"""What may stand in an HTTP header (RFC 9110, 5.1 and 5.5), for values that end up in one."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

# For Python a text ends before its last line break, too; for JSON Schema it does not.
_END = r"$(?!\n)"

HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+" + _END)]
HeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7E]*" + _END)]
NonEmptyHeaderText = Annotated[str, Meta(pattern=r"^[\x20-\x7E]+" + _END)]
VisibleText = Annotated[str, Meta(pattern=r"^[\x21-\x7E]+" + _END)]
