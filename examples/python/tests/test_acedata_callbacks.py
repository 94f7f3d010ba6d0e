"""The handler of Ace Data Cloud's callbacks, with and without signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from acedata_callbacks import Callbacks, Forged
from acedata_client import AceData
from acedata_wire import Task

from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.control import Control, Inbox, World
from mock_server.server.embedded import served

pytestmark = pytest.mark.hailuo_world(clock="frozen")

PROMPT = "Paper boats on a pond"
SECRET = "a shared secret"


@pytest.fixture(scope="module")
def hailuo_mock() -> Iterator[Control]:
    """A server that signs callbacks with the secret of their order, and repeats attempts."""
    flags = {
        "port": 0,
        "acedata.sign_callbacks": True,
        "acedata.callback_waits_s": [60.0, 300.0],
    }
    settings, _ = read_settings(flags=flags, environment={}, file=None, apis=ALL)
    with served(settings) as url, Control(url) as control:
        yield control


@pytest.fixture
def client(world: World, sleep: Callable[[float], None]) -> Iterator[AceData]:
    with AceData(world.acedata_token, world.acedata_url, sleep=sleep) as client:
        yield client


@pytest.fixture
def inbox(world: World) -> Inbox:
    return world.inbox("hook")


def handled(client: AceData, inbox: Inbox, secret: str | None = None) -> tuple[list[Task], int]:
    """Handle all requests in the inbox: the ended tasks, and the number of requests."""
    ended: list[Task] = []
    callbacks = Callbacks(client.get, ended.append, secret)
    requests = inbox.requests()
    for request in requests:
        callbacks.receive(dict(request.headers), request.content)
    return ended, len(requests)


@pytest.mark.parametrize("secret", [None, SECRET], ids=["unsigned", "signed"])
def test_a_callback_has_the_same_task_as_a_read(
    world: World, client: AceData, inbox: Inbox, secret: str | None
) -> None:
    task_id = client.submit(PROMPT, callback_url=inbox.url, callback_secret=secret)
    world.clock.until_idle()
    ended, _ = handled(client, inbox, secret)
    assert ended == [client.get(task_id)]


def test_only_the_task_of_an_unsigned_callback_is_read(
    world: World, client: AceData, inbox: Inbox
) -> None:
    client.submit(PROMPT, callback_url=inbox.url, callback_secret=SECRET)
    client.submit(PROMPT, callback_url=inbox.url)
    world.clock.until_idle()
    ended, _ = handled(client, inbox, SECRET)
    assert len(ended) == 2
    world.verify(operation="read", count=1)


def test_the_content_of_an_unsigned_callback_is_not_used(world: World, client: AceData) -> None:
    task_id = client.submit(PROMPT)
    claim = b'{"success": false, "task_id": "%s"}' % task_id.encode()
    ended: list[Task] = []
    callbacks = Callbacks(client.get, ended.append)
    callbacks.receive({}, claim)
    assert ended == []
    world.clock.until_idle()
    callbacks.receive({}, claim)
    assert [task.state for task in ended] == ["succeeded"]


@pytest.mark.parametrize("scenario", ["delivery_altered", "delivery_wrong_secret"])
def test_a_callback_with_a_wrong_signature_is_refused(
    world: World, client: AceData, inbox: Inbox, scenario: str
) -> None:
    client.submit(PROMPT, callback_url=inbox.url, callback_secret=SECRET)
    with world.fault(scenario):
        world.clock.advance(5)
    (request,) = inbox.requests()
    ended: list[Task] = []
    with pytest.raises(Forged):
        Callbacks(client.get, ended.append, SECRET).receive(dict(request.headers), request.content)
    assert ended == []


@pytest.mark.parametrize("secret", [None, SECRET], ids=["unsigned", "signed"])
def test_a_callback_that_comes_twice_is_handled_once(
    world: World, client: AceData, inbox: Inbox, secret: str | None
) -> None:
    client.submit(PROMPT, callback_url=inbox.url, callback_secret=secret)
    with world.fault("delivery_twice"):
        world.clock.until_idle()
    ended, requests = handled(client, inbox, secret)
    assert (len(ended), requests) == (1, 2)


def test_a_callback_is_the_same_in_every_attempt(
    world: World, client: AceData, inbox: Inbox
) -> None:
    inbox.program(500, {"cut": True})
    client.submit(PROMPT, callback_url=inbox.url, callback_secret=SECRET)
    world.clock.until_idle()
    ended, requests = handled(client, inbox, SECRET)
    assert (len(ended), requests) == (1, 3)


def test_callbacks_are_handled_in_any_order(world: World, client: AceData, inbox: Inbox) -> None:
    with world.fault("delivery_out_of_order", times=1):
        older = client.submit(PROMPT, callback_url=inbox.url)
        world.clock.advance(5)
    newer = client.submit(PROMPT, callback_url=inbox.url)
    world.clock.until_idle()
    ended, _ = handled(client, inbox)
    assert [task.id for task in ended] == [newer, older]
