"""Times as text: ISO 8601, and the form of HTTP headers."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=4096)
def timestamp(at_ms: int) -> str:
    """The time in UTC with milliseconds: `2026-03-02T10:15:30.250Z`."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=256)
def _to_the_second(seconds: int) -> str:
    """The beginning of a timestamp, the same for many: `2026-03-02T10:15:30`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")


class Moment(datetime):
    """A moment that JSON shows as `timestamp` does."""


@lru_cache(maxsize=4096)
def moment(at_ms: int) -> Moment:
    """The moment of a time in milliseconds."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return Moment.fromtimestamp(seconds, UTC).replace(microsecond=milliseconds * 1000)


def moment_or_none(at_ms: int | None) -> Moment | None:
    """The moment of a time in milliseconds, if it is known."""
    return None if at_ms is None else moment(at_ms)


def moment_text(value: Any) -> str:
    """The text of a Moment, for the encoder of JSON. Raises TypeError for other values."""
    if not isinstance(value, Moment):
        raise TypeError(f"JSON has no {type(value).__name__}")
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(at_ms: int) -> str:
    """The time in the form of HTTP headers, in whole seconds, rounded down."""
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC), usegmt=True)


def timestamp_or_null(at_ms: int | None) -> str | None:
    """The text of a time in milliseconds, if it is known."""
    return None if at_ms is None else timestamp(at_ms)
