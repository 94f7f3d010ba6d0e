"""A cache for answers that depend on what clients send: long keys are not kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

MAX_KEY_LENGTH = 256

Key = TypeVar("Key", bytes, str)
Result = TypeVar("Result")


def cached_for_short_keys(function: Callable[[Key], Result]) -> Callable[[Key], Result]:
    """The function with its last 256 results kept, those for long keys left out.

    A test uses a few short keys again and again; nobody needs a header of a megabyte twice.
    """
    cached = lru_cache(maxsize=256)(function)

    @wraps(function)
    def called(key: Key) -> Result:
        return cached(key) if len(key) <= MAX_KEY_LENGTH else function(key)

    return called
