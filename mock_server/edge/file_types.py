"""What a file is and how long it runs, told from its bytes."""

from __future__ import annotations

from typing import BinaryIO

# `filetype` is content with the first four of a PNG's eight bytes.
_PNG = b"\x89PNG\r\n\x1a\n"
# It answers with the older of two names for some types; the contract uses these.
_CONTRACT_NAMES = {"audio/x-m4a": "audio/mp4", "audio/x-aac": "audio/aac"}


def media_type(content: bytes) -> str | None:
    """The media type the bytes show, or None if nobody can tell. 8 KiB are enough."""
    import filetype  # few requests carry a file

    guess: str | None = filetype.guess_mime(content)
    if guess == "image/png" and not content.startswith(_PNG):
        return None
    return _CONTRACT_NAMES.get(guess, guess) if guess else None


def duration_s(file: BinaryIO) -> float | None:
    """How long audio or video runs, in seconds; None if nobody can tell."""
    import tinytag  # few uploads are timed

    try:
        length: float | None = tinytag.TinyTag.get(file_obj=file).duration
    except (tinytag.TinyTagException, ValueError, ArithmeticError, LookupError):
        return None
    return round(length, 3) if length else None
