"""When attempts are due, and when a delivery ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.acedata.callbacks import callback_signature
from mock_server.core.agenda import Occasion
from mock_server.core.clock import Clock
from mock_server.core.deliveries import (
    Deliveries,
    Delivery,
    DeliveryState,
    Event,
    PendingEvent,
    next_attempt_ms,
)
from mock_server.core.effects import DeliveryFault
from mock_server.core.endpoints import Endpoint, EndpointStatus
from mock_server.core.world import World, WorldRules
from tests.core.worlds import make_world

EVENT = Event("evt", "callback", "acedata", "ada", "task", 0, b"{}")
WAITS_MS = (60_000, 300_000)


def world(**rules: Any) -> World:
    clock = Clock(lambda: 0, start_ms=0, frozen=True)
    return make_world("w", seed=1, clock=clock, rules=WorldRules(**rules), credits_of={}, keys=[])


def schedule(world: World, waits_ms: tuple[int, ...] = ()) -> Delivery:
    """The only delivery of an event without a fault."""
    (delivery,) = world.dispatch.schedule(PendingEvent(EVENT, "http://x", waits_ms))
    return delivery


def attempt(
    world: World, delivery: Delivery, status: int | None, *, retry_after_s: int | None = None
) -> None:
    """Start and end an attempt at the same time."""
    tried = delivery.begin_attempt(world.clock.now_ms())
    tried.status, tried.retry_after_s = status, retry_after_s
    world.dispatch.end_attempt(delivery, tried)


def due_times_ms(world: World) -> list[int]:
    return [due.at_ms for due in world.catch_up() if due.occasion is Occasion.ATTEMPT_DUE]


def test_the_first_attempt_is_due_at_once() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    assert delivery.state is DeliveryState.PENDING
    assert due_times_ms(here) == [0]


def test_each_failure_is_followed_by_the_next_wait_until_they_are_used_up() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    seen = due_times_ms(here)
    while delivery.state is DeliveryState.PENDING:
        attempt(here, delivery, 500)
        here.clock.advance(300_000)
        seen += due_times_ms(here)
    assert seen == [0, 60_000, 600_000]
    assert delivery.state is DeliveryState.FAILED
    assert delivery.next_attempt_ms is None


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_ends_the_delivery(status: int) -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    due_times_ms(here)
    attempt(here, delivery, status)
    here.clock.advance(10**9)
    assert delivery.state is DeliveryState.SUCCEEDED
    assert due_times_ms(here) == []


@pytest.mark.parametrize("status", [None, 199, 300, 307, 404, 410, 429, 500])
def test_any_other_result_is_a_failure(status: int | None) -> None:
    here = world()
    delivery = schedule(here)
    attempt(here, delivery, status)
    assert delivery.state is DeliveryState.FAILED


def test_every_attempt_is_kept_with_an_id_of_its_own() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    for status in (500, None, 200):
        attempt(here, delivery, status)
    assert [tried.status for tried in delivery.attempts] == [500, None, 200]
    assert len({tried.id for tried in delivery.attempts}) == 3


@pytest.mark.parametrize("status", [200, 500])
def test_an_ended_delivery_can_be_redelivered(status: int) -> None:
    here = world()
    delivery = schedule(here)
    due_times_ms(here)
    attempt(here, delivery, status)
    here.clock.advance(5)
    here.dispatch.redeliver(delivery)
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


def test_surplus_deliveries_that_have_ended_are_deleted_and_counted() -> None:
    here = world(kept_deliveries=2)
    made = [schedule(here) for _ in range(4)]
    assert len(here.deliveries) == 4
    for delivery in made[1:]:
        attempt(here, delivery, 200)
    assert list(here.deliveries) == [made[0], made[3]]
    assert here.deliveries.evicted == 2


def test_a_pending_delivery_is_never_deleted() -> None:
    deliveries = Deliveries(max_kept=1)
    for number in range(3):
        deliveries.add(Delivery(str(number), EVENT, "http://x", ()))
    assert [delivery.id for delivery in deliveries] == ["0", "1", "2"]


def test_a_redelivered_delivery_is_kept_until_it_ends_again() -> None:
    here = world(kept_deliveries=1)
    first = schedule(here)
    attempt(here, first, 500)
    here.dispatch.redeliver(first)
    schedule(here)
    assert len(here.deliveries) == 2
    attempt(here, first, 200)
    assert here.deliveries.get(first.id) is None


def test_the_signature_is_the_hex_hmac_of_the_body() -> None:
    # RFC 4231, test case 2
    signature = callback_signature("Jefe", b"what do ya want for nothing?")
    assert signature == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


# --- Retry-After -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("retry_after_s", "again_ms"), [(None, 60_000), (0, 60_000), (59, 60_000), (61, 61_000)]
)
@pytest.mark.parametrize("status", [302, 429, 500, 503])
def test_the_next_attempt_is_not_before_retry_after(
    status: int, retry_after_s: int | None, again_ms: int
) -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    attempt(here, delivery, status, retry_after_s=retry_after_s)
    assert delivery.next_attempt_ms == again_ms


def test_retry_after_counts_from_the_end_of_the_attempt() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    tried = delivery.begin_attempt(here.clock.now_ms())
    tried.status, tried.retry_after_s = 503, 100
    here.clock.advance(5000)
    here.dispatch.end_attempt(delivery, tried)
    assert delivery.next_attempt_ms == 105_000


def test_retry_after_adds_no_attempt() -> None:
    here = world()
    delivery = schedule(here)
    attempt(here, delivery, 429, retry_after_s=60)
    assert (delivery.state, delivery.next_attempt_ms) == (DeliveryState.FAILED, None)


def test_retry_after_of_a_2xx_is_ignored() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    attempt(here, delivery, 200, retry_after_s=60)
    assert (delivery.state, delivery.next_attempt_ms) == (DeliveryState.SUCCEEDED, None)


def test_a_late_attempt_is_followed_by_the_next_wait_of_the_schedule() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    attempt(here, delivery, 429, retry_after_s=1000)
    here.clock.advance(1_000_000)
    attempt(here, delivery, 500)
    assert delivery.next_attempt_ms == 1_300_000


def test_a_world_can_ignore_retry_after() -> None:
    here = world(obey_retry_after=False)
    delivery = schedule(here, WAITS_MS)
    attempt(here, delivery, 429, retry_after_s=1000)
    assert delivery.next_attempt_ms == 60_000


# --- given up --------------------------------------------------------------------------------


def test_a_delivery_that_was_given_up_has_a_reason_and_no_more_attempts() -> None:
    here = world()
    delivery = schedule(here, WAITS_MS)
    attempt(here, delivery, 500)
    here.dispatch.give_up(delivery, "the endpoint is disabled")
    assert (delivery.state, delivery.next_attempt_ms) == (DeliveryState.FAILED, None)
    assert delivery.given_up == "the endpoint is disabled"


def test_a_delivery_that_was_given_up_may_be_deleted() -> None:
    here = world(kept_deliveries=1)
    delivery = schedule(here)
    here.dispatch.give_up(delivery, "the endpoint is disabled")
    schedule(here)
    assert here.deliveries.get(delivery.id) is None


def test_a_redelivered_delivery_is_no_longer_given_up() -> None:
    here = world()
    delivery = schedule(here)
    here.dispatch.give_up(delivery, "the endpoint is disabled")
    here.dispatch.redeliver(delivery)
    attempt(here, delivery, 200)
    assert (delivery.state, delivery.given_up) == (DeliveryState.SUCCEEDED, None)


# --- status 410 ------------------------------------------------------------------------------


def answered(here: World, status: int) -> tuple[Endpoint, Delivery]:
    """An endpoint that has answered its first event with this status, and the delivery."""
    endpoint = here.dispatch.register_endpoint(
        account="ada", name="", url="http://x", event_types=("callback",)
    )
    (delivery,) = here.dispatch.schedule(PendingEvent(EVENT, "http://x", WAITS_MS, endpoint.id))
    here.clock.advance(5)
    attempt(here, delivery, status)
    return endpoint, delivery


def test_a_410_disables_the_endpoint_if_the_rules_say_so() -> None:
    endpoint, _ = answered(world(gone_disables=True), 410)
    assert (endpoint.status, endpoint.disabled_ms) == (EndpointStatus.DISABLED, 5)


@pytest.mark.parametrize(
    ("status", "rule"), [(410, False), (404, True), (411, True), (500, True), (200, True)]
)
def test_without_the_rule_an_endpoint_stays_active(status: int, rule: bool) -> None:
    endpoint, _ = answered(world(gone_disables=rule), status)
    assert endpoint.status is EndpointStatus.ACTIVE


def test_a_410_does_not_disable_a_revoked_endpoint() -> None:
    here = world(gone_disables=True)
    endpoint, delivery = answered(here, 500)
    endpoint.set_status(EndpointStatus.REVOKED, 6)
    attempt(here, delivery, 410)
    assert (endpoint.status, endpoint.revoked_ms) == (EndpointStatus.REVOKED, 6)


# --- scheduled with a fault ------------------------------------------------------------------


def scheduled(here: World, fault: DeliveryFault, url: str = "http://x") -> list[Delivery]:
    return here.dispatch.schedule(PendingEvent(EVENT, url, ()), fault)


def test_every_copy_is_a_delivery_with_its_own_time() -> None:
    here = world()
    fault = DeliveryFault(copies=3, late_s=2, apart_s=0.5)
    copies = scheduled(here, fault)
    assert [each.next_attempt_ms for each in copies] == [2000, 2500, 3000]
    assert len({each.id for each in copies}) == 3
    assert {each.event for each in copies} == {EVENT}
    assert list(here.deliveries) == copies
    here.clock.advance(2999)
    assert due_times_ms(here) == [2000, 2500]


def test_zero_copies_make_no_delivery() -> None:
    here = world()
    assert scheduled(here, DeliveryFault(copies=0)) == []
    assert len(here.deliveries) == 0


def test_a_held_back_delivery_follows_the_next_one_to_its_receiver() -> None:
    here = world()
    (held,) = scheduled(here, DeliveryFault(after_next=True))
    here.clock.advance(10)
    assert (due_times_ms(here), held.next_attempt_ms) == ([], None)
    (elsewhere,) = scheduled(here, DeliveryFault(), "http://y")
    attempt(here, elsewhere, 200)
    assert held.next_attempt_ms is None
    attempt(here, schedule(here), 500)
    assert held.next_attempt_ms == 10


def test_after_next_holds_back_every_other_event() -> None:
    here = world()
    fault = DeliveryFault(after_next=True)
    (first,), (second,) = scheduled(here, fault), scheduled(here, fault)
    assert (first.next_attempt_ms, second.next_attempt_ms) == (None, 0)


def test_a_fault_of_the_first_attempts_does_not_apply_to_later_ones() -> None:
    here = world()
    fault = DeliveryFault(body="empty", attempts=2)
    (delivery,) = here.dispatch.schedule(PendingEvent(EVENT, "http://x", WAITS_MS), fault)
    seen = []
    for _ in range(3):
        attempt(here, delivery, 500)
        seen.append(delivery.attempt_fault.body)
    assert seen == ["empty", "empty", "whole"]
