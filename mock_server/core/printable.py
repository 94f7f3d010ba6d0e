"""Text from outside in a form that is safe in a terminal and a log."""

MOST_CHARS = 2000


def printable(text: str, most_chars: int = MOST_CHARS) -> str:
    """The text cut at a maximum length, with line breaks, control characters and direction marks
    escaped."""
    if len(text) > most_chars:
        text = f"{text[:most_chars]}… ({len(text) - most_chars} more characters)"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
