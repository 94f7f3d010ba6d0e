"""Hides the secrets of a run in all that leaves the process, in every form they can take.

A secret is found as it is, in hex, in Base64 (at each of its three offsets) and in Base64 of that;
with the escapes of JSON, Python, URLs and HTML, also several times escaped; in any case; with white
space inside; and cut off at its end.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TextIO, cast
from urllib.parse import unquote, urlsplit

from contract_tests.exchange import Exchange

HIDDEN = "[hidden]"
SHORTEST = 4
"""The length of the shortest secret: a shorter one occurs by accident."""

_SHORTEST_CUT = 10
"""A beginning of a secret is hidden if it is half of it, and at least so many characters."""
_SHORTEST_ENCODED = 6
_LONGEST_BODY = 65_536
_HEAD = 4
_LEVELS = 4
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
)
_SECRET_MEMBERS = re.compile(rb'"[a-z_]*secret"\s*:\s*"((?:[^"\\]|\\.)*)"', re.I)
_NAMED = re.compile(rb'("(?:signing_secret|callback_secret)"\s*:\s*"(?:whsec_)?)[^"]*(")')
_BY_FORM = re.compile(r"whsec_[0-9A-Za-z+/=_-]{6,}")
_IN_URLS = re.compile(r"(?<=://)[^\s/?#\"'<>@]+(?=@)")

_UPPER = bytes(range(65, 91))
_NORMAL = bytes.maketrans(_UPPER + b"-_", _UPPER.lower() + b"+/")
_BLANK = b" \t\r\n\x0b\x0c\0"
_ESCAPED_BLANK = re.compile(rb"\\+[nrt]|\\+u0000|\\+x00|%0[ad0]|%20|&#x?0*(?:a|d|10|13|32);", re.I)
_ESCAPE = re.compile(
    rb"\\+u\{?00([0-9a-f]{2})\}?|\\+x([0-9a-f]{2})|%(?:25)*([0-9a-f]{2})"
    rb"|&#x0*([0-9a-f]{1,2});?|&#0*([0-9]{2,3});?|&(amp|lt|gt|quot|apos|sol|plus|equals|lowbar|hyphen);"
    rb"|\\+[nrtbf0]|\\+|[\s\0]+",
    re.I,
)
_HAS_ESCAPE = re.compile(rb"\\u|\\x|%[0-9a-f]|&[#a-z]", re.I)
_NAMES = {
    b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'", b"sol": b"/",
    b"plus": b"+", b"equals": b"=", b"lowbar": b"_", b"hyphen": b"-",
}  # fmt: skip


class Redaction:
    """The secrets of one run, and how to hide them. Secrets can be added at any time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._needles: dict[bytes, list[tuple[bytes, int]]] = {}
        self._heads: set[int] = set()
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Add secrets. Those shorter than SHORTEST are ignored."""
        for secret in secrets:
            if len(secret) >= SHORTEST and secret not in self._secrets:
                self._secrets.add(secret)
                for form in _forms(secret):
                    self._add_needle(form)

    def add_from(self, exchange: Exchange) -> None:
        """Add the signing secrets that an answer hands out."""
        if b"secret" in exchange.body:
            for found in _SECRET_MEMBERS.finditer(exchange.body):
                self.add(found[1].decode(errors="replace"))

    def text(self, text: str) -> str:
        """The same text without any secret."""
        if "whsec_" in text:
            text = _BY_FORM.sub("whsec_" + HIDDEN, text)
        if "://" in text:
            text = _IN_URLS.sub("hidden", text)
        raw = text.encode("latin-1", "replace")  # one byte for each character: places stay the same
        spans = list(self._spans(raw))
        return _replaced(text, spans) if spans else text

    def content(self, content: bytes) -> bytes:
        """The same bytes without any secret."""
        text = content.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")

    def value(self, value: Any) -> Any:
        """The same JSON value without any secret, in names and values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(each) for name, each in value.items()}
        if isinstance(value, bool) or value is None or self.text(str(value)) == str(value):
            return value
        return HIDDEN

    def json(self, value: Any, **how: Any) -> str:
        """The value as a JSON text without any secret."""
        text = json.dumps(value, ensure_ascii=False, **how)
        if self.text(text) == text:
            return text
        return json.dumps(self.value(value), ensure_ascii=False, **how)

    def exchange(self, exchange: Exchange) -> Exchange:
        """A copy for files and reports: no credential, no signing secret, no very long body."""
        exchange = replace(
            exchange,
            sent_body=exchange.sent_body[:_LONGEST_BODY],
            body=exchange.body[:_LONGEST_BODY],
        )
        return replace(
            exchange,
            url=self.text(exchange.url),
            path=self.text(exchange.path),
            sent_headers=self._headers(exchange.sent_headers),
            sent_body=self._body(exchange.sent_body),
            headers=self._headers(exchange.headers),
            body=self._body(exchange.body),
        )

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        shown = {
            name: HIDDEN if name in _SECRET_HEADERS else value for name, value in headers.items()
        }
        together = "\n".join(f"{name}:{value}" for name, value in shown.items())
        return shown if self.text(together) == together else self.value(shown)

    def _body(self, body: bytes) -> bytes:
        if b"_secret" in body:
            body = _NAMED.sub(rb"\1" + HIDDEN.encode() + rb"\2", body)
        return self.content(body)

    def _add_needle(self, needle: bytes) -> None:
        cut = max(_SHORTEST_CUT, -(-len(needle) // 2))
        known = self._needles.setdefault(needle[:_HEAD], [])
        known.append((needle, min(cut, len(needle))))
        self._heads.add(int.from_bytes(needle[:_HEAD], "little"))

    # --- where secrets are ---

    def _spans(self, raw: bytes) -> Iterator[tuple[int, int]]:
        """The spans of secrets in a text of one byte for each character."""
        if not self._heads:
            return
        yield from self._found_in(raw.translate(_NORMAL))
        if self._may_be_hidden(raw):
            reading, starts, ends = raw, list(range(len(raw))), list(range(1, len(raw) + 1))
            for _ in range(_LEVELS):
                reading, starts, ends, is_final = _unescaped(reading, starts, ends)
                for first, last in self._found_in(reading.translate(_NORMAL)):
                    yield starts[first], ends[last - 1]
                if is_final:
                    return

    def _may_be_hidden(self, raw: bytes) -> bool:
        """Whether a secret may be there with escapes or white space."""
        if _HAS_ESCAPE.search(raw):
            return True
        without = _ESCAPED_BLANK.sub(b"", raw) if b"\\" in raw else raw
        without = without.translate(_NORMAL, _BLANK + b"\\")
        return any(True for _ in self._found_in(without))

    def _found_in(self, text: bytes) -> Iterator[tuple[int, int]]:
        """The spans of needles in a normal text."""
        end = 0
        for place in self._places(text):
            if place < end:
                continue
            length = max(
                (
                    _common(text, place, *needle)
                    for needle in self._needles[text[place : place + _HEAD]]
                ),
                default=0,
            )
            if length:
                end = place + length
                yield place, end

    def _places(self, text: bytes) -> list[int]:
        """The places with the beginning of a needle: every four bytes are compared as a number."""
        heads, found = self._heads, []
        for offset in range(min(_HEAD, len(text))):
            stop = len(text) - (len(text) - offset) % _HEAD
            numbers = memoryview(text)[offset:stop].cast("I")
            if not heads.isdisjoint(numbers):
                found += [
                    offset + _HEAD * index
                    for index, number in enumerate(numbers)
                    if number in heads
                ]
        return sorted(found)


def _common(text: bytes, place: int, needle: bytes, shortest: int) -> int:
    """How many characters of the needle are at a place; 0 if too few."""
    if text.startswith(needle, place):
        return len(needle)
    if not text.startswith(needle[:shortest], place):
        return 0
    length = shortest
    while text[place + length : place + length + 1] == needle[length : length + 1]:
        length += 1
    return length


def _forms(secret: str) -> set[bytes]:
    """The forms of a secret that are searched for, as normal text."""
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {raw, secret.encode("latin-1", "replace"), raw.hex().encode()}
    once = _in_base64(raw)
    twice = {each for form in once for each in _in_base64(form)} if len(raw) >= 12 else set()
    encoded = {form for form in once | twice if len(form) >= _SHORTEST_ENCODED}
    return {form.translate(_NORMAL) for form in forms | encoded if len(form) >= _HEAD}


def _in_base64(raw: bytes) -> set[bytes]:
    """What of the Base64 of any text with these bytes is always the same."""
    found = set()
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + raw)
        found.add(whole[-(-lead * 8 // 6) : (lead + len(raw)) * 8 // 6])
    return found


def _unescaped(
    text: bytes, starts: list[int], ends: list[int]
) -> tuple[bytes, list[int], list[int], bool]:
    """The text with one level of escapes decoded and without white space.

    starts, ends: the place of each character in the original. The last one: whether no escape is
    left.
    """
    pieces: list[bytes] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    place, is_final = 0, True
    for escape in _ESCAPE.finditer(text):
        first, last = escape.span()
        pieces.append(text[place:first])
        new_starts += starts[place:first]
        new_ends += ends[place:first]
        place = last
        letter = _decoded(escape)
        if letter:
            is_final = is_final and letter not in b"\\%&"
            pieces.append(letter)
            new_starts.append(starts[first])
            new_ends.append(ends[last - 1])
        elif not escape[0].isspace():
            is_final = False
    pieces.append(text[place:])
    return b"".join(pieces), new_starts + starts[place:], new_ends + ends[place:], is_final


def _decoded(escape: re.Match[bytes]) -> bytes:
    """The character that an escape stands for; nothing for white space and lone backslashes."""
    *hexes, decimal, name = escape.groups()
    if name:
        return _NAMES[name.lower()]
    digits = next((each for each in hexes if each), None)
    number = int(digits, 16) if digits else int(decimal) if decimal else 0
    return bytes([number]) if 0 < number < 256 and chr(number).strip() else b""


def _replaced(text: str, spans: list[tuple[int, int]]) -> str:
    hidden = [found.start() for found in re.finditer(re.escape(HIDDEN), text)]
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        before = bisect_right(hidden, start)
        if before and stop <= hidden[before - 1] + len(HIDDEN):
            continue  # hidden before
        if start >= end:
            pieces += [text[end:start], HIDDEN]
        end = max(end, stop)
    return "".join([*pieces, text[end:]])


def secrets_in_url(url: str) -> list[str]:
    """The user info of a URL, as it is and decoded, and its password."""
    try:
        parts = urlsplit(url)
        name, _, password = parts.netloc.rpartition("@")[0].partition(":")
    except ValueError:
        return []
    whole = f"{name}:{password}" if password else name
    secret = password or name
    return [each for each in {whole, unquote(whole), secret, unquote(secret)} if each]


OF_PROCESS = Redaction()
"""The secrets of this process: those of its options and environment, and those it is handed."""


class RedactedStream:
    """A text stream that hides secrets in all that is written to it, line by line."""

    def __init__(self, stream: TextIO, redaction: Redaction) -> None:
        self._stream, self._redaction = stream, redaction
        self._line = ""

    def write(self, text: str) -> int:
        """Write text. A line is kept back until it is complete or flushed."""
        self._line += text
        if "\n" in text:
            lines, _, self._line = self._line.rpartition("\n")
            self._stream.write(self._shown(lines + "\n"))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write the incomplete line, too."""
        line, self._line = self._line, ""
        self._stream.write(self._shown(line))
        self._stream.flush()

    def _shown(self, text: str) -> str:
        encoding = self._stream.encoding or "utf-8"
        shown = self._redaction.text(text)
        return shown.encode(encoding, "backslashreplace").decode(encoding)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redact_output() -> None:
    """Hide the secrets of this process in its stdout and stderr from now on."""
    if not isinstance(sys.stdout, RedactedStream):
        sys.stdout = cast(TextIO, RedactedStream(sys.stdout, OF_PROCESS))
        sys.stderr = cast(TextIO, RedactedStream(sys.stderr, OF_PROCESS))
