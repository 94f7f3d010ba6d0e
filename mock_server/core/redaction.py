"""Secrets in what people look at: found however they are spelled, and replaced.

What it costs to look through a text does not grow with the number of secrets.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

REDACTED = "[redacted]"
SHORTEST = 4
"""Characters of the shortest secret that is looked for: a shorter text could stand anywhere."""

_REDACTED = REDACTED.encode()
_FEW_HEADS = 16
"""Up to so many beginnings, a search for each is quicker than a look at every four bytes."""

Span = tuple[int, int]


class Redaction:
    """Hides secrets: those it is told of, and what is one by its looks or by its name."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """secrets: of visible ASCII; those with fewer than SHORTEST characters are left out."""
        known = {secret.encode() for secret in secrets if len(secret) >= SHORTEST}
        self._beginnings = _SortedTexts([*known, *_PREFIXES])
        self._known = _SortedTexts([each for each in known if not _BY_LOOKS.fullmatch(each)])
        self._has_backslash = any(b"\\" in each for each in known)

    def text(self, text: str) -> str:
        """The same text without any secret."""
        hidden = self.content(text.encode(errors="surrogateescape"))
        return hidden.decode(errors="surrogateescape")

    def query(self, query: str) -> str:
        """The query of a URL, which begins after its `?`, without any secret."""
        return self.text(f"?{query}")[1:] if query else ""

    def value(self, value: Any) -> Any:
        """The same JSON value without any secret, in names and values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {
                self.text(name): REDACTED if is_secret_name(name) else self.value(each)
                for name, each in value.items()
            }
        return value

    def json(self, text: bytes) -> Any:
        """The value that JSON spells, without any secret."""
        value = msgspec.json.decode(text)
        return value if self.content(text) == text else self.value(value)

    def content(self, content: bytes, *, is_cut: bool = False) -> bytes:
        """The same body without any secret. is_cut: it may end in the middle of one."""
        if is_cut and (escape := _CUT_ESCAPE.search(content, max(0, len(content) - 5))):
            return self.content(content[: escape.start()], is_cut=True) + escape[0]
        has_escapes = b"\\" in content or b"%" in content
        lowered = content.lower()
        if any(word in lowered for word in _NAMING_WORDS):
            content = _MEMBERS.sub(rb'\1"%b"' % _REDACTED, content)
        if has_escapes:
            content = _SPELLED_MEMBERS.sub(rb'\1"%b"' % _REDACTED, content)
        spans = list(self._spans(content, is_cut=is_cut))
        if has_escapes and self._may_read_otherwise(content, is_cut=is_cut):
            for reading in _readings(content):
                spans += map(reading.origin_of, self._spans(reading.text, is_cut=is_cut))
        return _replaced(content, spans) if spans else content

    def _may_read_otherwise(self, content: bytes, *, is_cut: bool) -> bool:
        """Whether there may be a secret in it that is spelled with escapes."""
        if _OF_ASCII.search(content) or (self._has_backslash and b"\\" in content):
            return True
        bare = content.replace(b"\\", b"")
        return bare != content and any(self._spans(bare, is_cut=is_cut))

    def _spans(self, text: bytes, *, is_cut: bool) -> Iterator[Span]:
        """Where secrets stand in a text that is spelled plainly."""
        if any(prefix in text for prefix in _PREFIXES):
            yield from (found.span() for found in _BY_LOOKS.finditer(text))
        if b"@" in text or b"=" in text:
            yield from (found.span(found.lastgroup or 0) for found in _IN_URLS.finditer(text))
        if b"form-data" in text:
            yield from (found.span("value") for found in _IN_FORMS.finditer(text))
        yield from self._known.found_in(text)
        if is_cut:
            yield from self._beginnings.begun_at_end_of(text)


class _SortedTexts:
    """Some texts, found in another one at a cost that does not grow with their number.

    Only where a text could begin, told by its first four bytes, the sorted list is asked.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._texts = sorted(set(texts))
        self._longest = max(map(len, self._texts), default=0)
        self._heads = {text[:SHORTEST] for text in self._texts}
        self._head_numbers = {_number(head) for head in self._heads}
        # What each text begins with that is one of them, too: the longest one.
        self._within: dict[bytes, bytes] = {}
        nested: list[bytes] = []
        for text in self._texts:
            while nested and not text.startswith(nested[-1]):
                nested.pop()
            if nested:
                self._within[text] = nested[-1]
            nested.append(text)

    def found_in(self, content: bytes) -> Iterator[Span]:
        """Where any of them stands; where several begin, the longest."""
        end = 0
        for place in self._candidates(content):
            if place >= end and (length := self._length_at(content, place)):
                end = place + length
                yield place, end

    def begun_at_end_of(self, content: bytes) -> Iterator[Span]:
        """Where the first part of any of them ends with the content."""
        for place in range(max(0, len(content) - self._longest), len(content) - SHORTEST + 1):
            rest = content[place:]
            index = bisect_left(self._texts, rest)
            if index < len(self._texts) and self._texts[index].startswith(rest):
                yield place, len(content)
                return

    def _length_at(self, content: bytes, place: int) -> int:
        """How long the longest of them is that stands here; 0 if none does."""
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
        """Every four bytes are looked up as one number."""
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


def _number(head: bytes) -> int:
    number: int = memoryview(head).cast("I")[0]
    return number


def _places(piece: bytes, content: bytes) -> Iterator[int]:
    place = content.find(piece)
    while place >= 0:
        yield place
        place = content.find(piece, place + 1)


# --- what is a secret by itself -----------------------------------------------------------------

_PREFIXES = (b"rvya_sk_", b"whsec_")
_BY_LOOKS = re.compile(rb"rvya_sk_[0-9A-Za-z_-]+|whsec_[0-9A-Za-z+/=]+")
"""A key of Rivya's, and a signing secret, whoever issued them."""

_NAME = (
    rb"[\w.-]{0,40}(?:token|secret|password|passwd|credentials?|authorization|signature|jwt"
    rb"|api[_-]?key)|key|auth|sig|bearer"
)
"""Names of fields that say that a secret follows, in URLs, forms and JSON."""
_NAMING_WORDS = (
    b"token", b"secret", b"passw", b"credential", b"auth", b"sig", b"jwt", b"key", b"bearer",
)  # fmt: skip
"""Without one of these a text has no such name."""

_IN_URLS = re.compile(
    rb"://(?P<user>[^\s/?#\"'<>@]+)@|(?:[?&#]|\A)(?:%b)=(?P<value>[^&#\s\"'<>\\]+)" % _NAME,
    re.IGNORECASE,
)
"""What stands before the host of a URL, and in a query or form under a name that says what it is.
"""

_IN_FORMS = re.compile(
    rb'form-data; *name="?(?:%b)"?[^\n]{0,200}\n(?:[^\r\n]{1,200}\r?\n){0,3}\r?\n'
    rb"(?P<value>[^\r\n]+)" % _NAME,
    re.IGNORECASE,
)
"""The same in the parts of an upload form."""


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return _SECRET_NAME.fullmatch(name.encode(errors="surrogatepass")) is not None


_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)


def _spelled(name: str) -> bytes:
    """An expression for a text of ASCII as it is, and as JSON and URLs may spell it."""
    return b"".join(
        rb"(?:\\?%b|(?i:%%%02x|\\u00%02x))" % (re.escape(letter.encode()), ord(letter), ord(letter))
        for letter in name
    )


_STRING = rb'"(?:[^"\\]|\\.)*+"?'
_NESTED = rb"(?!)"
for _ in range(4):
    _NESTED = rb"[\[{](?:[^\"\[\]{}]|%b|%b)*+[\]}]?" % (_STRING, _NESTED)
_VALUE = rb'(?:%b|%b|[^\s"\[{,}\]]+)' % (_STRING, _NESTED)

_MEMBERS = re.compile(rb'("(?:%b)"\s*:\s*)%b' % (_NAME, _VALUE), re.DOTALL | re.IGNORECASE)
_SPELLED_MEMBERS = re.compile(
    rb'("(?:%b)"\s*:\s*)%b'
    % (b"|".join(map(_spelled, ("signing_secret", "callback_secret"))), _VALUE),
    re.DOTALL,
)
"""The two secrets of the APIs, whose names may be spelled with escapes."""

# --- how a text may be spelled ------------------------------------------------------------------

_JSON = rb"\\u([0-9A-Fa-f]{4})|\\(.)"
_URL = rb"%([0-9A-Fa-f]{2})"
_ESCAPES = [
    (b"\\", re.compile(_JSON, re.DOTALL)),
    (b"%", re.compile(_URL)),
    (b"\\%", re.compile(_JSON + b"|" + _URL, re.DOTALL)),
]
_OF_ASCII = re.compile(rb"\\u00[2-7]|%[2-7]")
"""A visible letter of ASCII, escaped by its number."""
_CUT_ESCAPE = re.compile(rb"(?:\\u[0-9A-Fa-f]{0,3}|\\|%[0-9A-Fa-f]?)\Z")


class _Reading:
    """A text as it reads without escapes, in pieces that follow one another.

    A piece begins at one of `starts` in this text, and at one of `origins` in the one that came.
    """

    def __init__(self, text: bytes, starts: list[int], origins: list[int]) -> None:
        self.text = text
        self._starts = starts
        self._origins = origins

    def origin_of(self, span: Span) -> Span:
        """The span of the text that came which reads so. An escape belongs to it whole."""
        start, end = span
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        is_whole = end == self._starts[last + 1]
        return (
            self._origins[first] + start - self._starts[first],
            self._origins[last + 1] if is_whole else self._origins[last] + end - self._starts[last],
        )


def _readings(content: bytes) -> Iterator[_Reading]:
    """How a text reads without the escapes of JSON, those of URLs, and both."""
    for signs, escapes in _ESCAPES:
        if all(sign in content for sign in signs):
            yield _reading(content, escapes)


def _reading(content: bytes, escapes: re.Pattern[bytes]) -> _Reading:
    pieces: list[bytes] = []
    starts, origins = [], []
    length = origin = 0
    for escape in escapes.finditer(content):
        for place, piece in (
            (origin, content[origin : escape.start()]),
            (escape.start(), _meant(escape)),
        ):
            starts.append(length)
            origins.append(place)
            pieces.append(piece)
            length += len(piece)
        origin = escape.end()
    rest = content[origin:]
    ends = [length, length + len(rest)]
    return _Reading(b"".join([*pieces, rest]), starts + ends, [*origins, origin, len(content)])


def _meant(escape: re.Match[bytes]) -> bytes:
    found = escape[escape.lastindex or 0]
    if len(found) == 1:
        return found
    letter = chr(int(found, 16))
    return letter.encode(errors="replace") if len(found) == 4 else letter.encode("latin-1")


def _replaced(content: bytes, spans: Iterable[Span]) -> bytes:
    """The content with what stands in these spans hidden; what was hidden before stays as it is."""
    hidden = [found.start() for found in _HIDDEN.finditer(content)]
    pieces, end = [], 0
    for start, stop in sorted(spans):
        before = bisect_right(hidden, start)
        if before and stop <= hidden[before - 1] + len(_REDACTED):
            continue
        if start >= end:
            pieces += [content[end:start], _REDACTED]
        end = max(end, stop)
    return b"".join([*pieces, content[end:]])


_HIDDEN = re.compile(re.escape(_REDACTED))
