"""The handler of webhooks with signatures of Standard Webhooks, which its library checks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rivya_client import Rivya
from rivya_webhooks import Event, Forged, Webhooks, standard_signature

from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.control import Control, World
from mock_server.control.answers import Received
from mock_server.server.embedded import served

# The library uses the real clock. A world begins at the real time.
pytestmark = pytest.mark.hailuo_world(clock="frozen")

PROMPT = "Slow dolly towards a lighthouse at dusk"


@pytest.fixture(scope="module")
def hailuo_mock() -> Iterator[Control]:
    """A server with these signatures. The fixture `world` makes its worlds there."""
    flags = {"port": 0, "rivya.webhook_signature": "standard"}
    settings, _ = read_settings(flags=flags, environment={}, file=None, apis=ALL)
    with served(settings) as url, Control(url) as control:
        yield control


@pytest.fixture
def events() -> list[Event]:
    """What was handled."""
    return []


@pytest.fixture
def webhooks(world: World, events: list[Event]) -> Webhooks:
    """A handler with the endpoint's secret, after a create."""
    with Rivya(world.rivya_key, world.rivya_url) as client:
        endpoint = client.make_webhook(world.inbox("hook").url)
        client.create(PROMPT)
    return Webhooks(standard_signature(endpoint.secret), events.append)


def only_delivery(world: World) -> Received:
    world.clock.advance(5)
    (request,) = world.inbox("hook").requests()
    return request


def test_an_event_is_handled_once(world: World, webhooks: Webhooks, events: list[Event]) -> None:
    request = only_delivery(world)
    for _ in range(2):
        webhooks.receive(dict(request.headers), request.content)
    assert [event.id for event in events] == [request.header("webhook-id")]


@pytest.mark.parametrize(
    "scenario", ["delivery_altered", "delivery_wrong_secret", "delivery_unsigned", "delivery_stale"]
)
def test_an_event_with_a_wrong_signature_is_refused(
    world: World, webhooks: Webhooks, scenario: str
) -> None:
    with world.fault(scenario):
        request = only_delivery(world)
    with pytest.raises(Forged):
        webhooks.receive(dict(request.headers), request.content)
