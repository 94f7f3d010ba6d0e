"""Moments, written down as ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def moment(at_ms: int) -> str:
    """In UTC with milliseconds: `2026-03-02T10:15:30.250Z`."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


def moment_or_null(at_ms: int | None) -> str | None:
    """The same, of what may not have happened yet."""
    return None if at_ms is None else moment(at_ms)


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().removesuffix("+00:00")
