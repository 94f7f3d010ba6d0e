"""Media type and duration of a file, read from its bytes."""

import re
from typing import Any, BinaryIO

# How a file of each type begins. The contract takes none of the first four; a refusal names them.
_BEGINNINGS = {
    "image/apng": rb"\x89PNG\r\n\x1a\n.{29}acTL",
    "image/avif": rb".{4}ftypavif",
    "image/gif": rb"GIF8",
    "image/heic": rb".{4}ftyp(?:heic|mif1)",
    "image/jpeg": rb"\xff\xd8\xff",
    "image/png": rb"\x89PNG\r\n\x1a\n",
    "image/webp": rb"RIFF.{4}WEBPVP",
    "audio/aac": rb"\xff[\xf1\xf9]",
    "audio/mp4": rb".{4}ftypM4A",
    "audio/mpeg": rb"ID3|\xff[\xf2\xf3\xfb]",
    "audio/ogg": rb"OggS",
    "audio/x-wav": rb"RIFF.{4}WAVE",
    "video/quicktime": rb".{4}ftypqt  ",
    # The brand may stand first, or after the version among those that the file is compatible with.
    "video/mp4": rb".{4}ftyp(?:.{8}(?:.{4}){0,15})?(?:mp4[12]|isom)",
    "video/webm": rb"\x1a\x45\xdf\xa3.*\x42\x82\x84webm",
}
_ANY_BEGINNING = re.compile(
    b"|".join(b"(%b)" % beginning for beginning in _BEGINNINGS.values()), re.DOTALL
)


def media_type(content: bytes) -> str | None:
    """The media type of the bytes; None if it is not recognised. 8 KiB are enough."""
    found = _ANY_BEGINNING.match(content)
    return list(_BEGINNINGS)[found.lastindex - 1] if found and found.lastindex else None


_MOST_READS = 100_000
"""Far more than the frames of real audio of the largest size; they take a tenth of a second."""


class _FewReads:
    """A file that raises LookupError when it is read too often: where there is no frame, the next
    one is looked for in steps of four bytes, which takes seconds."""

    def __init__(self, file: BinaryIO) -> None:
        self._left = _MOST_READS
        self._read, self.seek, self.tell = file.read, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise LookupError("no frame")
        return self._read(size)


def duration_s(file: BinaryIO) -> float | None:
    """How long audio or video runs, in seconds; None if the bytes do not show it."""
    import tinytag  # imported late: it is slow, and few uploads have a duration

    reads: Any = _FewReads(file)
    try:
        length: float | None = tinytag.TinyTag.get(file_obj=reads).duration
    except (tinytag.TinyTagException, ValueError, ArithmeticError, LookupError):
        return None
    return round(length, 3) if length else None
