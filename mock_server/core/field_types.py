"""Types for fields of documents: integers, durations and text for HTTP headers."""

from typing import Annotated

from msgspec import Meta

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON parser reads exactly (RFC 8259, 6)."""

Whole = Annotated[int, Meta(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER)]
Count = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
Positive = Annotated[int, Meta(ge=1, le=MAX_SAFE_INTEGER)]

LONGEST_S = 10**9
"""The longest duration: some thirty years."""
LONGEST_MS = 1000 * LONGEST_S

Seconds = Annotated[float, Meta(ge=0, le=LONGEST_S)]
Milliseconds = Annotated[int, Meta(ge=0, le=LONGEST_MS)]


def form(pattern: str, sentence: str) -> Meta:
    """A pattern, and the sentence of a refusal of what does not match it."""
    return Meta(pattern=pattern, extra_json_schema={"x-sentence": sentence})


# Text in headers: RFC 9110, 5.1 and 5.5. In Python `$` also matches before a last line break; in
# JSON Schema it does not.
_END = r"$(?!\n)"
HeaderName = Annotated[
    str,
    form(
        r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+" + _END,
        "must be a header's name: letters, digits and !#$%&'*+.^_`|~-",
    ),
]
_PRINTABLE = "must be printable ASCII characters"
HeaderText = Annotated[str, form(r"^[\x20-\x7E]*" + _END, _PRINTABLE)]
NonEmptyHeaderText = Annotated[str, form(r"^[\x20-\x7E]+" + _END, f"{_PRINTABLE}, at least one")]
VisibleText = Annotated[
    str, form(r"^[\x21-\x7E]+" + _END, "must be visible ASCII characters without spaces")
]
