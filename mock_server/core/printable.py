"""Text from outside on its way to a terminal or a log: it stays one line and moves no cursor."""

from __future__ import annotations

MOST_CHARS = 2000


def printable(text: str, most_chars: int = MOST_CHARS) -> str:
    """The text with everything escaped that is no visible character, and its end left out if it is
    long. Line breaks, control characters and marks of direction are no visible characters."""
    if len(text) > most_chars:
        text = f"{text[:most_chars]}… ({len(text) - most_chars} more characters)"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
