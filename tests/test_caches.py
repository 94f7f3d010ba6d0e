"""What is kept of what clients send is short, in every cache."""

from __future__ import annotations

from mock_server.edge.short_key_cache import MAX_KEY_LENGTH, cached_for_short_keys
from tests.test_imports import MENTIONED

WHY_ITS_KEYS_ARE_SHORT = {
    "mock_server.contract.contract": "cached properties of one object",
    "mock_server.core.patterns": "patterns of a bounded length",
    "mock_server.core.snapshot_flaws": "types of the program",
    "mock_server.door.page": "no key at all",
    "mock_server.door.server": "no key at all",
    "mock_server.edge.credentials": "names of headers of a bounded length",
    "mock_server.edge.host_header": "host names of a bounded length",
    "mock_server.edge.long_body": "cached properties of one object, and types of the program",
    "mock_server.edge.timestamps": "numbers",
    "mock_server.core.suggestions": "names of at most 64 letters",
    "mock_server.contract.violations": "cached properties of one object",
    "mock_server.edge.short_key_cache": "the cache for what clients send",
    "mock_server.edge.media": "paths of files that come with the server",
}


def test_every_cache_has_a_reason_why_its_keys_are_short() -> None:
    caches = {"functools.lru_cache", "functools.cache", "functools.cached_property"}
    found = {module for module, names in MENTIONED.items() if caches & set(names)}
    assert found == set(WHY_ITS_KEYS_ARE_SHORT)


def test_short_keys_are_answered_from_the_cache_and_long_ones_anew() -> None:
    asked = []

    @cached_for_short_keys
    def upper(key: bytes) -> bytes:
        asked.append(key)
        return key.upper()

    short, long = b"a" * MAX_KEY_LENGTH, b"a" * (MAX_KEY_LENGTH + 1)
    for key in (short, long):
        assert [upper(key), upper(key)] == [key.upper()] * 2
    assert asked == [short, long, long]
