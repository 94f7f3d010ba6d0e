"""The Authorization header in its two parts. What each is worth, an API's gate says."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Authorization(NamedTuple):
    """A scheme and the credential that follows it, both as they came."""

    scheme: str
    credential: str


@lru_cache(maxsize=256)  # the few keys that a test uses come again and again
def read_authorization(header: bytes) -> Authorization:
    """A header's value in its parts, at its first space; a missing header is an empty one."""
    scheme, _, credential = header.decode("latin-1").partition(" ")
    return Authorization(scheme, credential)
