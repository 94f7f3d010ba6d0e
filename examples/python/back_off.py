"""When to ask again: as soon as the answer says, else later each time."""

from __future__ import annotations

from collections.abc import Mapping

from tenacity import RetryCallState, wait_exponential_jitter

ATTEMPTS = 5
"""How often a request is sent at most."""

_LATER_EACH_TIME = wait_exponential_jitter(initial=1, max=30)


def pause_s(state: RetryCallState) -> float:
    """For tenacity's `wait`: what the refusal asked for, or 1, 2, 4 … s and up to 1 s by chance."""
    error = None if state.outcome is None else state.outcome.exception()
    asked_s: float | None = getattr(error, "retry_after_s", None)
    return _LATER_EACH_TIME(state) if asked_s is None else asked_s


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What an answer asks for, in seconds. Neither API documents the header, nor a date in it."""
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else None
