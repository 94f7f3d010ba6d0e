"""Replaces secrets in text that is shown, also if they are spelled with escapes.

The time for a text does not depend on the number of secrets.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

REDACTED = "[redacted]"
SHORTEST = 4
"""The length of the shortest secret that is replaced: a shorter one could occur by accident."""

_REDACTED = REDACTED.encode()
_FEW_HEADS = 16
"""Up to this many different beginnings, one search for each is faster than checking every four
bytes."""

Span = tuple[int, int]


class Redaction:
    """Hides given secrets, text in the form of one, and values of fields with a secret name."""

    def __init__(self, secrets: Iterable[str], key_prefixes: Iterable[str] = ()) -> None:
        """secrets: visible ASCII; those shorter than SHORTEST are ignored.
        key_prefixes: the first letters of keys that are hidden even if they are unknown."""
        self._prefixes = (_SIGNING_SECRET, *(prefix.encode() for prefix in key_prefixes))
        self._by_prefix = _keys_with(self._prefixes[1:])
        known = {secret.encode() for secret in secrets if len(secret) >= SHORTEST}
        self._beginnings = _SortedTexts([*known, *self._prefixes])
        self._known = _SortedTexts([each for each in known if not self._by_prefix.fullmatch(each)])
        self._has_backslash = any(b"\\" in each for each in known)

    def text(self, text: str) -> str:
        """The same text without any secret."""
        hidden = self.content(text.encode(errors="surrogateescape"))
        return hidden.decode(errors="surrogateescape")

    def query(self, query: str) -> str:
        """The query of a URL, without its `?`, without any secret."""
        return self.text(f"?{query}")[1:] if query else ""

    def value(self, value: Any) -> Any:
        """The same JSON value without any secret, in names and values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {
                self.text(name): REDACTED if _is_secret_name(name) else self.value(each)
                for name, each in value.items()
            }
        return value

    def json(self, text: bytes) -> Any:
        """The value of a JSON text, without any secret."""
        value = msgspec.json.decode(text)
        return value if self.content(text) == text else self.value(value)

    def content(self, content: bytes, *, is_cut: bool = False) -> bytes:
        """The same body without any secret. is_cut: it may end in the middle of one."""
        if is_cut and (escape := _CUT_ESCAPE.search(content, max(0, len(content) - 5))):
            return self.content(content[: escape.start()], is_cut=True) + escape[0]
        has_escapes = b"\\" in content or b"%" in content
        lowered = content.lower()
        if any(word in lowered for word in _NAMING_WORDS):
            content = _compiled(_MEMBERS).sub(rb'\1"%b"' % _REDACTED, content)
        if has_escapes:
            content = _spelled_members().sub(rb'\1"%b"' % _REDACTED, content)
        spans = list(self._spans(content, is_cut=is_cut))
        if has_escapes and self._may_have_escapes(content, is_cut=is_cut):
            for signs, escapes in _ESCAPES:
                if all(sign in content for sign in signs):
                    reading = _decoded_text(content, escapes)
                    spans += map(reading.origin_of, self._spans(reading.text, is_cut=is_cut))
        return _replaced(content, spans) if spans else content

    def _may_have_escapes(self, content: bytes, *, is_cut: bool) -> bool:
        """Whether it may contain a secret that is spelled with escapes."""
        if _ASCII_ESCAPE.search(content) or (self._has_backslash and b"\\" in content):
            return True
        bare = content.replace(b"\\", b"")
        return bare != content and any(self._spans(bare, is_cut=is_cut))

    def _spans(self, text: bytes, *, is_cut: bool) -> Iterator[Span]:
        """The spans of secrets that are spelled without escapes."""
        if any(prefix in text for prefix in self._prefixes):
            yield from (found.span() for found in self._by_prefix.finditer(text))
        if b"@" in text or b"=" in text:
            yield from (
                found.span(found.lastgroup or 0) for found in _compiled(_IN_URLS).finditer(text)
            )
        if b"form-data" in text:
            yield from (found.span("value") for found in _compiled(_IN_FORMS).finditer(text))
        yield from self._known.found_in(text)
        if is_cut:
            yield from self._beginnings.begun_at_end_of(text)


class _SortedTexts:
    """Texts that can be found in another one in a time that does not depend on their number.

    The sorted list is searched only at places with the first four bytes of a text.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts = sorted(set(texts))
        self._longest = max(map(len, self._texts), default=0)
        self._heads = {text[:SHORTEST] for text in self._texts}
        self._head_numbers = set(memoryview(b"".join(self._heads)).cast("I"))
        # For each text the longest other one that it begins with.
        self._within: dict[bytes, bytes] = {}
        nested: list[bytes] = []
        for text in self._texts:
            while nested and not text.startswith(nested[-1]):
                nested.pop()
            if nested:
                self._within[text] = nested[-1]
            nested.append(text)

    def found_in(self, content: bytes) -> Iterator[Span]:
        """The spans of all occurrences; of several at one place the longest."""
        end = 0
        for place in self._candidates(content):
            if place >= end and (length := self._length_at(content, place)):
                end = place + length
                yield place, end

    def begun_at_end_of(self, content: bytes) -> Iterator[Span]:
        """The span of the beginning of a text at the end of the content, if there is one."""
        for place in range(max(0, len(content) - self._longest), len(content) - SHORTEST + 1):
            rest = content[place:]
            index = bisect_left(self._texts, rest)
            if index < len(self._texts) and self._texts[index].startswith(rest):
                yield place, len(content)
                return

    def _length_at(self, content: bytes, place: int) -> int:
        """The length of the longest text at this place; 0 if there is none."""
        window = content[place : place + self._longest]
        index = bisect_right(self._texts, window) - 1
        text = self._texts[index] if index >= 0 else b""
        while text and not window.startswith(text):
            text = self._within.get(text, b"")
        return len(text)

    def _candidates(self, content: bytes) -> Iterable[int]:
        if len(self._heads) > _FEW_HEADS:
            return self._candidates_among_many(content)
        return sorted(place for head in self._heads for place in _places(head, content))

    def _candidates_among_many(self, content: bytes) -> list[int]:
        """The places found by comparing every four bytes as one number."""
        heads, found = self._head_numbers, []
        for offset in range(SHORTEST):
            end = len(content) - (len(content) - offset) % SHORTEST
            numbers = memoryview(content)[offset:end].cast("I")
            if not heads.isdisjoint(numbers):
                found += [
                    offset + SHORTEST * index
                    for index, number in enumerate(numbers)
                    if number in heads
                ]
        return sorted(found)


def _places(piece: bytes, content: bytes) -> Iterator[int]:
    place = content.find(piece)
    while place >= 0:
        yield place
        place = content.find(piece, place + 1)


# --- secrets by their form or their name ---------------------------------------------------------

_SIGNING_SECRET = b"whsec_"


@cache
def _keys_with(prefixes: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """Matches signing secrets, and keys with these first letters."""
    keys = (re.escape(prefix) + rb"[0-9A-Za-z_-]+" for prefix in prefixes)
    return re.compile(b"|".join([_SIGNING_SECRET + rb"[0-9A-Za-z+/=]+", *keys]))


_NAME = (
    rb"[\w.-]{0,40}(?:token|secret|password|passwd|credentials?|authorization|signature|jwt"
    rb"|api[_-]?key)|key|auth|sig|bearer"
)
"""Names of fields that contain a secret, in URLs, forms and JSON."""
_NAMING_WORDS = (
    b"token", b"secret", b"passw", b"credential", b"auth", b"sig", b"jwt", b"key", b"bearer",
)  # fmt: skip
"""Every such name contains one of these."""

_IN_URLS = rb"://(?P<user>[^\s/?#\"'<>@]+)@|(?:[?&#]|\A)(?:%b)=(?P<value>[^&#\s\"'<>\\]+)" % _NAME
"""The user name in a URL, and the values of fields with a secret name in a query or form."""

_IN_FORMS = (
    rb'form-data; *name="?(?:%b)"?[^\n]{0,200}\n(?:[^\r\n]{1,200}\r?\n){0,3}\r?\n'
    rb"(?P<value>[^\r\n]+)" % _NAME
)
"""The same for multipart forms."""


def _is_secret_name(name: str) -> bool:
    return _compiled(_NAME).fullmatch(name.encode(errors="surrogatepass")) is not None


def _spelled(name: str) -> bytes:
    """A pattern for an ASCII text, also with the escapes of JSON and URLs."""
    return b"".join(
        rb"(?:\\?%b|(?i:%%%02x|\\u00%02x))" % (re.escape(letter.encode()), ord(letter), ord(letter))
        for letter in name
    )


_STRING = rb'"(?:[^"\\]|\\.)*+"?'
_NESTED = rb"(?!)"
for _ in range(4):
    _NESTED = rb"[\[{](?:[^\"\[\]{}]|%b|%b)*+[\]}]?" % (_STRING, _NESTED)
_VALUE = rb'(?:%b|%b|[^\s"\[{,}\]]+)' % (_STRING, _NESTED)

_MEMBERS = rb'("(?:%b)"\s*:\s*)%b' % (_NAME, _VALUE)


@cache  # compiled at the first use: that is slow, and few servers need one early
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    """One of the patterns above."""
    return re.compile(pattern, re.DOTALL | re.IGNORECASE)


@cache
def _spelled_members() -> re.Pattern[bytes]:
    """Matches the two secret fields of the APIs, also if their names are spelled with escapes."""
    names = b"|".join(map(_spelled, ("signing_secret", "callback_secret")))
    return re.compile(rb'("(?:%b)"\s*:\s*)%b' % (names, _VALUE), re.DOTALL)


# --- escapes --------------------------------------------------------------------------------------

_JSON = rb"\\u([0-9A-Fa-f]{4})|\\(.)"
_URL = rb"%([0-9A-Fa-f]{2})"
_ESCAPES = [
    (b"\\", re.compile(_JSON, re.DOTALL)),
    (b"%", re.compile(_URL)),
    (b"\\%", re.compile(_JSON + b"|" + _URL, re.DOTALL)),
]
"""The escapes of JSON, of URLs, and of both, each with the characters that they begin with."""
_ASCII_ESCAPE = re.compile(rb"\\u00[2-7]|%[2-7]")
"""An escape of a visible ASCII character."""
_CUT_ESCAPE = re.compile(rb"(?:\\u[0-9A-Fa-f]{0,3}|\\|%[0-9A-Fa-f]?)\Z")


class _DecodedText(Struct, frozen=True):
    """A text with its escapes decoded, in pieces.

    Each piece starts at one of `starts` in this text, and at one of `origins` in the original.
    """

    text: bytes
    starts: list[int]
    origins: list[int]

    def origin_of(self, span: Span) -> Span:
        """The span in the original; it contains its escapes completely."""
        start, end = span
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, end - 1) - 1
        is_whole = end == self.starts[last + 1]
        return (
            self.origins[first] + start - self.starts[first],
            self.origins[last + 1] if is_whole else self.origins[last] + end - self.starts[last],
        )


def _decoded_text(content: bytes, escapes: re.Pattern[bytes]) -> _DecodedText:
    pieces: list[bytes] = []
    starts, origins = [], []
    length = origin = 0
    for escape in escapes.finditer(content):
        for place, piece in (
            (origin, content[origin : escape.start()]),
            (escape.start(), _decoded(escape)),
        ):
            starts.append(length)
            origins.append(place)
            pieces.append(piece)
            length += len(piece)
        origin = escape.end()
    rest = content[origin:]
    ends = [length, length + len(rest)]
    return _DecodedText(b"".join([*pieces, rest]), starts + ends, [*origins, origin, len(content)])


def _decoded(escape: re.Match[bytes]) -> bytes:
    found = escape[escape.lastindex or 0]
    if len(found) == 1:
        return found
    letter = chr(int(found, 16))
    return letter.encode(errors="replace") if len(found) == 4 else letter.encode("latin-1")


def _replaced(content: bytes, spans: Iterable[Span]) -> bytes:
    """The content with these spans replaced; text that was replaced before stays."""
    hidden = list(_places(_REDACTED, content))
    pieces, end = [], 0
    for start, stop in sorted(spans):
        before = bisect_right(hidden, start)
        if before and stop <= hidden[before - 1] + len(_REDACTED):
            continue
        if start >= end:
            pieces += [content[end:start], _REDACTED]
        end = max(end, stop)
    return b"".join([*pieces, content[end:]])
