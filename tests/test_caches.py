"""Every cache keeps only short keys of clients."""

from __future__ import annotations

from mock_server.edge.short_key_cache import MAX_KEY_LENGTH, cached_for_short_keys
from tests.test_imports import mentioned

WHY_ITS_KEYS_ARE_SHORT = {
    "mock_server.apis.rivya.response_bodies": "ids of a bounded length",
    "mock_server.config.settings": "types of the program",
    "mock_server.contract.contract": "cached properties of one object",
    "mock_server.contract.failures": "names of the server's APIs",
    "mock_server.core.compact_ring": "types of the program",
    "mock_server.core.packed_ring": "types of the program",
    "mock_server.core.redaction": "the first letters of keys of the server's APIs",
    "mock_server.core.patterns": "patterns of a bounded length",
    "mock_server.core.snapshot_checks.lists": "types of the program",
    "mock_server.door.page": "no key at all",
    "mock_server.door.search": "cached properties of one object",
    "mock_server.door.server": "names of the server's APIs",
    "mock_server.edge.call": "hosts of a bounded length, and numbers",
    "mock_server.edge.credentials": "names of headers of a bounded length",
    "mock_server.edge.exchanges": "names of worlds, of a bounded length",
    "mock_server.edge.long_body": "types of the program, and the names of their fields",
    "mock_server.edge.timestamps": "numbers",
    "mock_server.core.suggestions": "names of at most 64 letters",
    "mock_server.edge.unknown_paths": "cached properties of one object",
    "mock_server.server.app": "no key at all",
    "mock_server.contract.violations": "cached properties of one object",
    "mock_server.edge.short_key_cache": "the cache for what clients send",
    "mock_server.edge.media": "paths of files that come with the server",
    "mock_server.verdict.catalogue": "modules of the program",
    "mock_server.verdict.evidence": "cached properties of one object",
    "mock_server.verdict.requests": "cached properties of one object",
}


def test_every_cache_has_a_reason_why_its_keys_are_short() -> None:
    caches = {"functools.lru_cache", "functools.cache", "functools.cached_property"}
    found = {module for module, names in mentioned().items() if caches & set(names)}
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
