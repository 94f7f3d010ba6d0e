"""The Authorization header in its two parts. What each is worth, an API's gate says."""

from __future__ import annotations

from typing import NamedTuple

from mock_server.edge.short_key_cache import cached_for_short_keys


class Authorization(NamedTuple):
    """A scheme and the credential that follows it, both as they came."""

    scheme: str
    credential: str


@cached_for_short_keys
def read_authorization(header: bytes) -> Authorization:
    """A header's value in its parts, at its first space; a missing header is an empty one."""
    scheme, _, credential = header.decode("latin-1").partition(" ")
    return Authorization(scheme, credential)
