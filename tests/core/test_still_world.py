"""A world that stands still: whatever happens in the one it was copied from."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core.snapshot import take, written
from mock_server.core.still_world import still_world
from tests.core.test_snapshot import CONTENTS, HERE, STEPS, Step, document_of, done, make


@settings(max_examples=200)
@given(before=st.lists(STEPS, max_size=40), after=st.lists(STEPS, max_size=40))
def test_what_happens_afterwards_does_not_show(before: list[Step], after: list[Step]) -> None:
    world = make()
    done(before, world, HERE)
    exchange = world.open_exchange("POST", "/under/way")
    deliveries = list(world.deliveries)
    attempt = deliveries[0].begin_attempt(world.clock.now_ms()) if deliveries else None
    as_it_was, now_ms, still = document_of(world, HERE), world.clock.now_ms(), still_world(world)
    exchange.status, exchange.ended_ms = 200, now_ms
    if attempt is not None:
        attempt.status = 200
        world.end_attempt(deliveries[0], attempt)
    done(after, world, HERE)
    assert written(take(still, HERE, CONTENTS, now_ms)) == as_it_was


@settings(max_examples=50)
@given(before=st.lists(STEPS, max_size=40))
def test_a_document_written_in_parts_is_as_if_it_were_written_at_once(before: list[Step]) -> None:
    world = make()
    done(before, world, HERE)
    snapshot = take(world, HERE, CONTENTS)
    assert written(snapshot) == msgspec.json.encode(snapshot, order="sorted")


def test_long_bytes_are_written_in_parts_too() -> None:
    world = make()
    snapshot = take(world, HERE, CONTENTS)
    for size_bytes in (0, 1, 3 << 18, (3 << 18) + 1, (6 << 18) + 2):
        contents = {"x": bytes(range(256)) * (size_bytes // 256 + 1)}
        contents["x"] = contents["x"][:size_bytes]
        larger = msgspec.structs.replace(snapshot, contents=contents)
        assert written(larger) == msgspec.json.encode(larger, order="sorted")
