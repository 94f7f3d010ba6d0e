"""Files of each type, and the forms that upload them."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from tests import rivya
from tests.asgi import Answer
from tests.mock import PNG, Mock

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 16
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8 " + b"\x00" * 16
GIF = b"GIF89a" + b"\x00" * 16
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + b"\x00" * 16
M4V = b"\x00\x00\x00\x1cftypM4V \x00\x00\x02\x00M4V iso2isom" + b"\x00" * 16
MOV = b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + b"\x00" * 16
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + b"\x00" * 16
MP3 = b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\x00" * 16
M4A = b"\x00\x00\x00\x14ftypM4A \x00\x00\x00\x00M4A " + b"\x00" * 16
AAC = b"\xff\xf1\x50\x80" + b"\x00" * 16
OGG = b"OggS\x00\x02" + b"\x00" * 24
TEXT = b"Never mind the name: this is a text."


def wav(seconds: float) -> bytes:
    """Silence, 8000 bytes a second."""
    silence = b"\x80" * round(8000 * seconds)
    return (
        b"RIFF"
        + (36 + len(silence)).to_bytes(4, "little")
        + b"WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
        + b"\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00"
        + b"data"
        + len(silence).to_bytes(4, "little")
        + silence
    )


TAKEN = [
    ("image", JPEG, "image/jpeg"),
    ("image", PNG, "image/png"),
    ("image", WEBP, "image/webp"),
    ("video", MP4, "video/mp4"),
    ("video", M4V, "video/mp4"),
    ("video", MOV, "video/quicktime"),
    ("video", WEBM, "video/webm"),
    ("audio", MP3, "audio/mpeg"),
    ("audio", b"\xff\xfb\x90\x00" + b"\x00" * 16, "audio/mpeg"),
    ("audio", M4A, "audio/mp4"),
    ("audio", wav(0.25), "audio/x-wav"),
    ("audio", AAC, "audio/aac"),
    ("audio", OGG, "audio/ogg"),
]


def send_form(mock: Mock, body: bytes, **headers: str) -> Answer:
    """A POST of a form's bytes; header names are given with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return mock.rivya("POST", "/files", body, headers=rivya.UPLOAD_HEADERS | sent)


def part(name: str, value: bytes, *, filename: str | None = None, extra: bytes = b"") -> bytes:
    """One part of a form, as bytes."""
    head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"'
    head += "" if filename is None else f'; filename="{filename}"'
    return head.encode() + b"\r\n" + extra + b"\r\n" + value + b"\r\n"


KIND = part("kind", b"image")
FILE = part("file", PNG, filename="a.png")
END = b"--frontier--\r\n"


def fetch(mock: Mock, url: str, method: str = "GET", **headers: str) -> Answer:
    """A request to an address from an answer; header names with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    path = unquote(urlsplit(url).path).replace("?", "%3F")
    return mock.request(method, path, headers=sent)
