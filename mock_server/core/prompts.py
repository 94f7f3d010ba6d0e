"""How long a prompt is, and what that counts."""

from __future__ import annotations

from typing import Literal

from mock_server.core.refusals import Invalid


def require_length(prompt: str, max_chars: int, *, unit: Literal["utf16", "codepoints"]) -> None:
    """Refuses with Invalid a prompt longer than `max_chars`.

    unit: what a character is. A service written in TypeScript counts UTF-16 code units, so that
    an emoji counts twice (assumed).
    """
    if unit == "codepoints" or prompt.isascii():
        length = len(prompt)
    else:
        length = len(prompt.encode("utf-16-le")) // 2
    if length > max_chars:
        counted = "UTF-16 code units" if unit == "utf16" else "characters"
        raise Invalid.at("/prompt", "maxLength", f"has {length} {counted}; at most {max_chars}")
