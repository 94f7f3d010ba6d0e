"""A copy of a world does not change with the original."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core.snapshot import encoded, snapshot_of
from mock_server.core.world_copy import copy_of_world
from tests.core.test_snapshot import CONTENTS, HERE, STEPS, Step, document_of, done, make


@settings(max_examples=200)
@given(before=st.lists(STEPS, max_size=40), after=st.lists(STEPS, max_size=40))
def test_later_changes_are_not_in_the_copy(before: list[Step], after: list[Step]) -> None:
    world = make()
    done(before, world, HERE)
    exchange = world.open_exchange("POST", "/under/way")
    deliveries = list(world.deliveries)
    attempt = deliveries[0].begin_attempt(world.clock.now_ms()) if deliveries else None
    as_it_was, now_ms, still = document_of(world, HERE), world.clock.now_ms(), copy_of_world(world)
    exchange.status, exchange.ended_ms = 200, now_ms
    if attempt is not None:
        attempt.status = 200
        world.dispatch.end_attempt(deliveries[0], attempt)
    done(after, world, HERE)
    assert encoded(snapshot_of(still, HERE, CONTENTS, now_ms)) == as_it_was


@settings(max_examples=50)
@given(before=st.lists(STEPS, max_size=40))
def test_a_document_encoded_in_parts_has_the_same_bytes(before: list[Step]) -> None:
    world = make()
    done(before, world, HERE)
    snapshot = snapshot_of(world, HERE, CONTENTS)
    assert encoded(snapshot) == msgspec.json.encode(snapshot, order="sorted")


def test_long_bytes_are_encoded_in_parts_too() -> None:
    world = make()
    snapshot = snapshot_of(world, HERE, CONTENTS)
    for size_bytes in (0, 1, 3 << 18, (3 << 18) + 1, (6 << 18) + 2):
        contents = {"x": bytes(range(256)) * (size_bytes // 256 + 1)}
        contents["x"] = contents["x"][:size_bytes]
        larger = msgspec.structs.replace(snapshot, contents=contents)
        assert encoded(larger) == msgspec.json.encode(larger, order="sorted")
