"""What can go wrong with one request and its answer, before or after the state has changed."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from mock_server.core.durations import LONGEST_S, Seconds
from mock_server.core.header_text import HeaderName, HeaderText, NonEmptyHeaderText

When = Literal["before", "after"]
Pointer = Annotated[str, Meta(pattern="^(/.*)?$")]


class ErrorFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="error",
):
    """The request is refused with one of the vendor's own errors, in the vendor's envelope.

    code: from the error table of the API the request is for.
    message: instead of a sentence of ours.
    retry_after_s: sent as the header Retry-After.
    when: `after` refuses what has already been done.
    """

    code: Annotated[str, Meta(min_length=1)]
    message: str | None = None
    retry_after_s: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    when: When = "before"


class AnswerFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="answer",
):
    """Somebody else answers, a proxy perhaps: a status and a body that are no vendor's."""

    status: Annotated[int, Meta(ge=200, le=599)]
    body: str = ""
    content_type: NonEmptyHeaderText = "text/html"
    headers: dict[HeaderName, HeaderText] = {}
    when: When = "before"

    def __post_init__(self) -> None:
        for name in self.headers:
            if name.lower() in _FRAMING:
                raise ValueError(f"the header {name} follows from the body and cannot be set")


_FRAMING = {"content-length", "transfer-encoding"}


class ConnectionFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="connection",
):
    """There is no whole answer: the connection is reset, or nothing comes until the caller leaves.

    after_bytes: how much of the answer's body is sent before; None: not even its head.
    when: whether the state has changed. With `after_bytes` it always has.
    """

    how: Literal["reset", "hang"]
    after_bytes: Annotated[int, Meta(ge=0)] | None = None
    when: When = "before"


class DelayFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="delay",
):
    """The answer is late, in seconds of the world's clock. Exactly one of the three says how much.

    seconds: always so much. uniform_s: between two numbers. lognormal_s: its median and its 99th
    percentile.
    """

    seconds: Seconds | None = None
    uniform_s: tuple[Seconds, Seconds] | None = None
    lognormal_s: tuple[Seconds, Seconds] | None = None
    when: When = "before"

    def __post_init__(self) -> None:
        ways = (self.seconds, self.uniform_s, self.lognormal_s)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("exactly one of seconds, uniform_s and lognormal_s says how long")
        low_s, high_s = self.uniform_s or self.lognormal_s or (1, 1)
        if low_s > high_s or (self.lognormal_s is not None and low_s <= 0):
            raise ValueError("the first number is above 0 and at most the second")

    def wait_ms(self, fraction: float, other: float) -> int:
        """How long, for two draws from 0 (included) to 1 (excluded)."""
        if self.uniform_s is not None:
            low_s, high_s = self.uniform_s
            return round(1000 * (low_s + fraction * (high_s - low_s)))
        if self.lognormal_s is not None:
            median_s, p99_s = self.lognormal_s
            deviation = (math.log(p99_s) - math.log(median_s)) / _P99
            normal = math.sqrt(-2 * math.log(1 - fraction)) * math.cos(2 * math.pi * other)
            exponent = math.log(median_s) + deviation * normal
            return round(1000 * math.exp(min(exponent, math.log(LONGEST_S))))
        return round(1000 * (self.seconds or 0))


_P99 = 2.3263478740408408
"""How many standard deviations above its mean the 99th percentile of a normal distribution is."""


class BodyFault(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="body",
):
    """The answer comes, and is not what it should be.

    status: another one. content_type: another one.
    drop, rename, set, null: fields by JSON Pointer, in this order; what is not there is left alone.
        A field can be set to any value, also one that no document knows, and where none was before.
    replace: the whole body, as text; then there are no fields to change.
    cut_at: the answer ends after so many bytes, though it promised more.
    bytes_per_s: how slowly it comes, in real time.
    """

    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    content_type: NonEmptyHeaderText | None = None
    drop: tuple[Pointer, ...] = ()
    rename: dict[Pointer, str] = {}
    set: dict[Pointer, Any] = {}
    null: tuple[Pointer, ...] = ()
    replace: str | None = None
    cut_at: Annotated[int, Meta(ge=0)] | None = None
    bytes_per_s: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        fields = [*self.drop, *self.rename, *self.set, *self.null]
        if "" in fields:
            raise ValueError('the pointer "" is the whole body, no field: use replace for that')
        if fields and self.replace is not None:
            raise ValueError("replace leaves no fields to drop, rename, set or make null")

    def changed(self, document: Any) -> Any:
        """The answer's document with its fields dropped, renamed and set."""
        for pointer in self.drop:
            owner, name = _owner(document, pointer)
            if isinstance(owner, dict):
                owner.pop(name, None)
        for pointer, other in self.rename.items():
            owner, name = _owner(document, pointer)
            if isinstance(owner, dict) and name in owner:
                owner[other] = owner.pop(name)
        for pointer, value in [*self.set.items(), *dict.fromkeys(self.null).items()]:
            owner, name = _owner(document, pointer)
            if isinstance(owner, dict):
                owner[name] = value
            elif isinstance(owner, list) and _is_in(owner, name):
                owner[int(name)] = value
        return document


def value_at(document: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) leads to in a document; None if it leads nowhere."""
    if not pointer:
        return document
    owner, name = _owner(document, pointer)
    if isinstance(owner, dict):
        return owner.get(name)
    if isinstance(owner, list) and _is_in(owner, name):
        return owner[int(name)]
    return None


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            is_same_json(value, other[name]) for name, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return bool(one == other)


def _owner(document: Any, pointer: str) -> tuple[Any, str]:
    """What holds the value a pointer leads to, and its name there; no owner if there is none."""
    *way, last = [
        step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/")
    ]
    for step in way:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and _is_in(document, step):
            document = document[int(step)]
        else:
            return None, last
    return document, last


def _is_in(items: list[Any], index: str) -> bool:
    """Whether a step of a pointer is an index of this list; RFC 6901 knows digits, and no zero
    before them."""
    return _INDEX.fullmatch(index) is not None and int(index) < len(items)


_INDEX = re.compile("0|[1-9][0-9]{0,8}")
