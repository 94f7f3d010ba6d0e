"""The same receiver, should Rivya sign as Standard Webhooks has it: that library checks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rivya_client import Rivya
from rivya_webhooks import Event, Forged, Webhooks, standard_signature

from mock_server.config.settings import RivyaSettings, Settings
from mock_server.control import Control, World
from mock_server.control.answers import Received
from mock_server.server.embedded import served

# The library looks at the real clock, and so the world has to begin now, as worlds do.
pytestmark = pytest.mark.hailuo_world(clock="frozen")

PROMPT = "Slow dolly towards a lighthouse at dusk"


@pytest.fixture(scope="module")
def hailuo_mock() -> Iterator[Control]:
    """A server that signs so, for the tests of this file; `world` makes its worlds there."""
    settings = Settings(port=0, rivya=RivyaSettings(webhook_signature="standard"))
    with served(settings) as url, Control(url) as control:
        yield control


@pytest.fixture
def events() -> list[Event]:
    """What the receiver handled."""
    return []


@pytest.fixture
def webhooks(world: World, events: list[Event]) -> Webhooks:
    """A receiver that has the endpoint's secret, after a video was made."""
    with Rivya(world.rivya_key, world.rivya_url) as client:
        endpoint = client.make_webhook(world.inbox("hook").url)
        client.create(PROMPT)
    return Webhooks(standard_signature(endpoint.secret), events.append)


def the_delivery(world: World) -> Received:
    world.clock.advance(5)
    (request,) = world.inbox("hook").requests()
    return request


def test_an_event_is_handled_once(world: World, webhooks: Webhooks, events: list[Event]) -> None:
    request = the_delivery(world)
    for _ in range(2):
        webhooks.receive(dict(request.headers), request.content)
    assert [event.id for event in events] == [request.header("webhook-id")]


@pytest.mark.parametrize(
    "scenario", ["delivery_altered", "delivery_wrong_secret", "delivery_unsigned", "delivery_stale"]
)
def test_what_is_not_signed_well_is_not_believed(
    world: World, webhooks: Webhooks, scenario: str
) -> None:
    with world.fault(scenario):
        request = the_delivery(world)
    with pytest.raises(Forged):
        webhooks.receive(dict(request.headers), request.content)
