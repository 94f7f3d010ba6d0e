"""The handler of Rivya's webhooks. An inbox of the fake receives the deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from rivya_client import Rivya
from rivya_webhooks import Event, Forged, Webhooks, rivya_signature

from mock_server.control import World

pytestmark = pytest.mark.hailuo_world(clock="frozen")

PROMPT = "Slow dolly towards a lighthouse at dusk"


@pytest.fixture
def client(world: World, sleep: Callable[[float], None]) -> Iterator[Rivya]:
    with Rivya(world.rivya_key, world.rivya_url, sleep=sleep) as client:
        yield client


@pytest.fixture
def events() -> list[Event]:
    """What was handled."""
    return []


@pytest.fixture
def webhooks(world: World, client: Rivya, events: list[Event]) -> Webhooks:
    """A handler with the endpoint's secret and the world's clock."""
    endpoint = client.make_webhook(world.inbox("hook").url)

    def now() -> float:
        return world.clock.get().now.timestamp()

    return Webhooks(rivya_signature(endpoint.secret, now), events.append)


def receive_all(webhooks: Webhooks, world: World) -> int:
    """Handle all requests in the inbox; their number."""
    requests = world.inbox("hook").requests()
    for request in requests:
        webhooks.receive(dict(request.headers), request.content)
    return len(requests)


def test_an_event_has_the_same_generation_as_a_read(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event]
) -> None:
    ordered = client.create(PROMPT)
    world.clock.until_idle()
    assert receive_all(webhooks, world) == 1
    (event,) = events
    assert event.type == "generation.succeeded"
    assert event.generation == client.get(ordered.id)


@pytest.mark.parametrize("scenario", ["delivery_twice", "delivery_twice_at_once"])
def test_an_event_that_comes_twice_is_handled_once(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event], scenario: str
) -> None:
    client.create(PROMPT)
    with world.fault(scenario):
        world.clock.until_idle()
    assert receive_all(webhooks, world) == 2
    assert len(events) == 1


def test_an_event_is_the_same_in_every_attempt(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event]
) -> None:
    world.inbox("hook").program(500, {"cut": True})
    client.create(PROMPT)
    world.clock.until_idle()
    assert receive_all(webhooks, world) == 3
    assert len(events) == 1


def test_an_event_whose_handler_failed_is_handled_at_the_next_attempt(
    world: World, client: Rivya
) -> None:
    inbox = world.inbox("hook")
    endpoint = client.make_webhook(inbox.url)
    client.create(PROMPT)
    world.clock.advance(5)
    world.redeliver(world.wait_for_delivery())
    world.clock.advance(5)
    first, again = inbox.requests()
    handled: list[Event] = []

    def handle(event: Event) -> None:
        handled.append(event)
        if len(handled) == 1:
            raise RuntimeError("the database is away")

    webhooks = Webhooks(rivya_signature(endpoint.secret), handle)
    with pytest.raises(RuntimeError):
        webhooks.receive(dict(first.headers), first.content)
    webhooks.receive(dict(again.headers), again.content)
    assert len(handled) == 2


def test_events_are_handled_in_any_order(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event]
) -> None:
    with world.fault("delivery_out_of_order", times=1):
        older = client.create(PROMPT)
        world.clock.advance(5)
    newer = client.create(PROMPT)
    world.clock.until_idle()
    receive_all(webhooks, world)
    assert [event.generation.id for event in events] == [newer.id, older.id]


def test_an_event_can_come_before_the_answer_to_its_order(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event]
) -> None:
    with world.fault("delivery_before_answer"):
        ordered = client.create(PROMPT)
    receive_all(webhooks, world)
    assert [event.generation.id for event in events] == [ordered.id]


def test_a_read_shows_which_of_two_events_is_right(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event]
) -> None:
    ordered = client.create(PROMPT)
    with world.fault("delivery_success_after_failure"):
        world.clock.until_idle()
    receive_all(webhooks, world)
    assert [event.type for event in events] == ["generation.failed", "generation.succeeded"]
    assert client.get(ordered.id).status == "succeeded"


WRONG_SIGNATURES = [
    "delivery_altered",
    "delivery_wrong_secret",
    "delivery_unsigned",
    "delivery_stale",
    "delivery_future",
]


@pytest.mark.parametrize("scenario", WRONG_SIGNATURES)
def test_an_event_with_a_wrong_signature_is_refused(
    world: World, client: Rivya, webhooks: Webhooks, events: list[Event], scenario: str
) -> None:
    client.create(PROMPT)
    with world.fault(scenario):
        world.clock.advance(5)
    with pytest.raises(Forged):
        receive_all(webhooks, world)
    assert events == []
