"""When a delivery is tried, tried again, and given up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.agenda import Occasion
from mock_server.core.clock import Clock
from mock_server.core.deliveries import (
    Deliveries,
    Delivery,
    DeliveryState,
    Event,
    next_attempt_ms,
)
from mock_server.core.signing import callback_signature
from mock_server.core.world import World, WorldRules, make_world

EVENT = Event("evt", "callback", "ada", "task", 0, b"{}", ())
WAITS_MS = (60_000, 300_000)


def world(**rules: int) -> World:
    clock = Clock(lambda: 0, start_ms=0, frozen=True)
    return make_world("w", seed=1, clock=clock, rules=WorldRules(**rules), credits_of={}, keys=[])


def attempt(world: World, delivery: Delivery, status: int | None) -> None:
    """One attempt from its start to its end, in no time."""
    tried = delivery.begin_attempt(world.clock.now_ms())
    tried.status = status
    world.end_attempt(delivery, tried)


def due_times_ms(world: World) -> list[int]:
    return [due.at_ms for due in world.catch_up() if due.occasion is Occasion.ATTEMPT_DUE]


def test_the_first_attempt_is_due_at_once() -> None:
    here = world()
    delivery = here.owe(EVENT, "http://x", WAITS_MS)
    assert delivery.state is DeliveryState.PENDING
    assert due_times_ms(here) == [0]


def test_each_failure_is_followed_by_the_next_wait_until_they_are_used_up() -> None:
    here = world()
    delivery = here.owe(EVENT, "http://x", WAITS_MS)
    seen = due_times_ms(here)
    while delivery.state is DeliveryState.PENDING:
        attempt(here, delivery, 500)
        here.clock.advance(300_000)
        seen += due_times_ms(here)
    assert seen == [0, 60_000, 600_000]
    assert delivery.state is DeliveryState.FAILED
    assert delivery.next_attempt_ms is None


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_takes_the_event_and_nothing_follows(status: int) -> None:
    here = world()
    delivery = here.owe(EVENT, "http://x", WAITS_MS)
    due_times_ms(here)
    attempt(here, delivery, status)
    here.clock.advance(10**9)
    assert delivery.state is DeliveryState.SUCCEEDED
    assert due_times_ms(here) == []


@pytest.mark.parametrize("status", [None, 199, 300, 307, 404, 410, 429, 500])
def test_anything_else_is_a_failure(status: int | None) -> None:
    here = world()
    delivery = here.owe(EVENT, "http://x", ())
    attempt(here, delivery, status)
    assert delivery.state is DeliveryState.FAILED


def test_every_attempt_is_kept_with_an_id_of_its_own() -> None:
    here = world()
    delivery = here.owe(EVENT, "http://x", WAITS_MS)
    for status in (500, None, 200):
        attempt(here, delivery, status)
    assert [tried.status for tried in delivery.attempts] == [500, None, 200]
    assert len({tried.id for tried in delivery.attempts}) == 3


@pytest.mark.parametrize("status", [200, 500])
def test_what_is_over_can_be_sent_once_more(status: int) -> None:
    here = world()
    delivery = here.owe(EVENT, "http://x", ())
    due_times_ms(here)
    attempt(here, delivery, status)
    here.clock.advance(5)
    here.redeliver(delivery)
    assert due_times_ms(here) == [5]
    attempt(here, delivery, 200)
    assert delivery.state is DeliveryState.SUCCEEDED


@given(st.lists(st.integers(0, 10**6), max_size=8))
def test_there_is_one_attempt_more_than_there_are_waits(waits_ms: list[int]) -> None:
    attempts_ms = [0]
    while (following_ms := next_attempt_ms(attempts_ms, waits_ms)) is not None:
        assert following_ms - attempts_ms[-1] == waits_ms[len(attempts_ms) - 1]
        attempts_ms.append(following_ms)
    assert len(attempts_ms) == len(waits_ms) + 1


def test_too_many_that_are_over_are_forgotten_and_counted() -> None:
    here = world(kept_deliveries=2)
    made = [here.owe(EVENT, "http://x", ()) for _ in range(4)]
    assert len(here.deliveries) == 4
    for delivery in made[1:]:
        attempt(here, delivery, 200)
    assert list(here.deliveries) == [made[0], made[3]]
    assert here.deliveries.evicted == 2


def test_what_is_pending_is_never_forgotten() -> None:
    deliveries = Deliveries(max_kept=1)
    for number in range(3):
        deliveries.add(Delivery(str(number), EVENT, "http://x", ()))
    assert [delivery.id for delivery in deliveries] == ["0", "1", "2"]


def test_what_was_over_and_is_sent_again_is_kept_until_it_is_over_again() -> None:
    here = world(kept_deliveries=1)
    first = here.owe(EVENT, "http://x", ())
    attempt(here, first, 500)
    here.redeliver(first)
    here.owe(EVENT, "http://x", ())
    assert len(here.deliveries) == 2
    attempt(here, first, 200)
    assert here.deliveries.get(first.id) is None


def test_the_signature_is_the_hex_hmac_of_the_body() -> None:
    # RFC 4231, test case 2
    signature = callback_signature("Jefe", b"what do ya want for nothing?")
    assert signature == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
