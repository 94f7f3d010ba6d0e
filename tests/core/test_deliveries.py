"""When a delivery is tried, tried again, and given up."""

from __future__ import annotations

from typing import Any

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
    Owed,
    next_attempt_ms,
)
from mock_server.core.delivery_faults import DeliveryFault
from mock_server.core.endpoints import Endpoint, EndpointStatus
from mock_server.core.signing import callback_signature
from mock_server.core.world import World, WorldRules, make_world

EVENT = Event("evt", "callback", "acedata", "ada", "task", 0, b"{}")
WAITS_MS = (60_000, 300_000)


def world(**rules: Any) -> World:
    clock = Clock(lambda: 0, start_ms=0, frozen=True)
    return make_world("w", seed=1, clock=clock, rules=WorldRules(**rules), credits_of={}, keys=[])


def owe(world: World, waits_ms: tuple[int, ...] = ()) -> Delivery:
    """The one delivery of an event that goes right."""
    (delivery,) = world.owe(Owed(EVENT, "http://x", waits_ms))
    return delivery


def attempt(
    world: World, delivery: Delivery, status: int | None, *, retry_after_s: int | None = None
) -> None:
    """One attempt from its start to its end, in no time."""
    tried = delivery.begin_attempt(world.clock.now_ms())
    tried.status, tried.retry_after_s = status, retry_after_s
    world.end_attempt(delivery, tried)


def due_times_ms(world: World) -> list[int]:
    return [due.at_ms for due in world.catch_up() if due.occasion is Occasion.ATTEMPT_DUE]


def test_the_first_attempt_is_due_at_once() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    assert delivery.state is DeliveryState.PENDING
    assert due_times_ms(here) == [0]


def test_each_failure_is_followed_by_the_next_wait_until_they_are_used_up() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
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
    delivery = owe(here, WAITS_MS)
    due_times_ms(here)
    attempt(here, delivery, status)
    here.clock.advance(10**9)
    assert delivery.state is DeliveryState.SUCCEEDED
    assert due_times_ms(here) == []


@pytest.mark.parametrize("status", [None, 199, 300, 307, 404, 410, 429, 500])
def test_anything_else_is_a_failure(status: int | None) -> None:
    here = world()
    delivery = owe(here)
    attempt(here, delivery, status)
    assert delivery.state is DeliveryState.FAILED


def test_every_attempt_is_kept_with_an_id_of_its_own() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    for status in (500, None, 200):
        attempt(here, delivery, status)
    assert [tried.status for tried in delivery.attempts] == [500, None, 200]
    assert len({tried.id for tried in delivery.attempts}) == 3


@pytest.mark.parametrize("status", [200, 500])
def test_what_is_over_can_be_sent_once_more(status: int) -> None:
    here = world()
    delivery = owe(here)
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
    made = [owe(here) for _ in range(4)]
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
    first = owe(here)
    attempt(here, first, 500)
    here.redeliver(first)
    owe(here)
    assert len(here.deliveries) == 2
    attempt(here, first, 200)
    assert here.deliveries.get(first.id) is None


def test_the_signature_is_the_hex_hmac_of_the_body() -> None:
    # RFC 4231, test case 2
    signature = callback_signature("Jefe", b"what do ya want for nothing?")
    assert signature == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


# --- left alone for a while ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retry_after_s", "again_ms"), [(None, 60_000), (0, 60_000), (59, 60_000), (61, 61_000)]
)
@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_a_receiver_that_asks_for_peace_is_not_tried_before(
    status: int, retry_after_s: int | None, again_ms: int
) -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    attempt(here, delivery, status, retry_after_s=retry_after_s)
    assert delivery.next_attempt_ms == again_ms


def test_peace_counts_from_the_end_of_the_attempt() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    tried = delivery.begin_attempt(here.clock.now_ms())
    tried.status, tried.retry_after_s = 503, 100
    here.clock.advance(5000)
    here.end_attempt(delivery, tried)
    assert delivery.next_attempt_ms == 105_000


def test_asking_for_peace_makes_no_attempt_more() -> None:
    here = world()
    delivery = owe(here)
    attempt(here, delivery, 429, retry_after_s=60)
    assert (delivery.state, delivery.next_attempt_ms) == (DeliveryState.FAILED, None)


def test_whoever_took_the_event_need_not_ask_for_peace() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    attempt(here, delivery, 200, retry_after_s=60)
    assert (delivery.state, delivery.next_attempt_ms) == (DeliveryState.SUCCEEDED, None)


def test_the_wait_after_a_late_attempt_is_the_next_of_the_schedule() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    attempt(here, delivery, 429, retry_after_s=1000)
    here.clock.advance(1_000_000)
    attempt(here, delivery, 500)
    assert delivery.next_attempt_ms == 1_300_000


def test_a_world_may_be_told_not_to_listen() -> None:
    here = world(obey_retry_after=False)
    delivery = owe(here, WAITS_MS)
    attempt(here, delivery, 429, retry_after_s=1000)
    assert delivery.next_attempt_ms == 60_000


# --- given up --------------------------------------------------------------------------------


def test_what_is_given_up_says_why_and_is_tried_no_more() -> None:
    here = world()
    delivery = owe(here, WAITS_MS)
    attempt(here, delivery, 500)
    here.give_up(delivery, "nobody wants it")
    assert (delivery.state, delivery.next_attempt_ms) == (DeliveryState.FAILED, None)
    assert delivery.given_up == "nobody wants it"


def test_what_is_given_up_may_be_forgotten() -> None:
    here = world(kept_deliveries=1)
    delivery = owe(here)
    here.give_up(delivery, "nobody wants it")
    owe(here)
    assert here.deliveries.get(delivery.id) is None


def test_what_is_tried_again_is_given_up_no_more() -> None:
    here = world()
    delivery = owe(here)
    here.give_up(delivery, "nobody wants it")
    here.redeliver(delivery)
    attempt(here, delivery, 200)
    assert (delivery.state, delivery.given_up) == (DeliveryState.SUCCEEDED, None)


# --- gone ------------------------------------------------------------------------------------


def told(here: World, status: int) -> tuple[Endpoint, Delivery]:
    """An endpoint that has answered its first event so."""
    endpoint = here.register_endpoint(
        account="ada", name="", url="http://x", event_types=("callback",)
    )
    (delivery,) = here.owe(Owed(EVENT, "http://x", WAITS_MS, endpoint.id))
    here.clock.advance(5)
    attempt(here, delivery, status)
    return endpoint, delivery


def test_an_endpoint_that_is_gone_is_switched_off_if_the_rules_say_so() -> None:
    endpoint, _ = told(world(gone_disables=True), 410)
    assert (endpoint.status, endpoint.disabled_ms) == (EndpointStatus.DISABLED, 5)


@pytest.mark.parametrize(
    ("status", "rule"), [(410, False), (404, True), (411, True), (500, True), (200, True)]
)
def test_otherwise_an_endpoint_stays_on(status: int, rule: bool) -> None:
    endpoint, _ = told(world(gone_disables=rule), status)
    assert endpoint.status is EndpointStatus.ACTIVE


def test_an_endpoint_that_was_taken_back_is_not_switched_off_by_being_gone() -> None:
    here = world(gone_disables=True)
    endpoint, delivery = told(here, 500)
    endpoint.set_status(EndpointStatus.REVOKED, 6)
    attempt(here, delivery, 410)
    assert (endpoint.status, endpoint.revoked_ms) == (EndpointStatus.REVOKED, 6)


# --- owed with a fault -----------------------------------------------------------------------


def owed(here: World, fault: DeliveryFault, url: str = "http://x") -> list[Delivery]:
    return here.owe(Owed(EVENT, url, ()), fault)


def test_every_copy_is_a_delivery_of_its_own_due_in_its_time() -> None:
    here = world()
    fault = DeliveryFault(copies=3, late_s=2, apart_s=0.5)
    copies = owed(here, fault)
    assert [each.next_attempt_ms for each in copies] == [2000, 2500, 3000]
    assert len({each.id for each in copies}) == 3
    assert {each.event for each in copies} == {EVENT}
    assert list(here.deliveries) == copies
    here.clock.advance(2999)
    assert due_times_ms(here) == [2000, 2500]


def test_what_is_never_sent_is_no_delivery() -> None:
    here = world()
    assert owed(here, DeliveryFault(copies=0)) == []
    assert len(here.deliveries) == 0


def test_what_is_held_back_comes_after_the_next_one_for_this_receiver() -> None:
    here = world()
    (held,) = owed(here, DeliveryFault(after_next=True))
    here.clock.advance(10)
    assert (due_times_ms(here), held.next_attempt_ms) == ([], None)
    (elsewhere,) = owed(here, DeliveryFault(), "http://y")
    attempt(here, elsewhere, 200)
    assert held.next_attempt_ms is None
    attempt(here, owe(here), 500)
    assert held.next_attempt_ms == 10


def test_of_events_that_are_all_to_be_held_back_each_second_one_goes_first() -> None:
    here = world()
    fault = DeliveryFault(after_next=True)
    (first,), (second,) = owed(here, fault), owed(here, fault)
    assert (first.next_attempt_ms, second.next_attempt_ms) == (None, 0)


def test_a_fault_of_the_first_attempts_leaves_the_later_ones_sound() -> None:
    here = world()
    fault = DeliveryFault(body="empty", attempts=2)
    (delivery,) = here.owe(Owed(EVENT, "http://x", WAITS_MS), fault)
    seen = []
    for _ in range(3):
        attempt(here, delivery, 500)
        seen.append(delivery.attempt_fault.body)
    assert seen == ["empty", "empty", "whole"]
