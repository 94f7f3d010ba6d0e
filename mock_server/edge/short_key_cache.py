"""A cache for functions of what clients send. Results for long keys are not kept."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

MAX_KEY_LENGTH = 256

Key = TypeVar("Key", bytes, str)
Result = TypeVar("Result")


def cached_for_short_keys(function: Callable[[Key], Result]) -> Callable[[Key], Result]:
    """The function with a cache of 256 results. Keys over MAX_KEY_LENGTH are not cached.
    Tests repeat a few short keys; long ones would only fill memory."""
    cached = lru_cache(maxsize=256)(function)

    @wraps(function)
    def called(key: Key) -> Result:
        return cached(key) if len(key) <= MAX_KEY_LENGTH else function(key)

    return called
