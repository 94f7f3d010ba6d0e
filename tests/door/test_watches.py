"""A wait checks only new and running requests, however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mock_server.core.journal import Exchange
from mock_server.core.request_match import RequestMatch
from mock_server.core.world import World
from mock_server.door.watches import DeliveryWatch, RequestWatch
from tests import calls
from tests.door.test_waits_that_end_early import NOWHERE, video
from tests.mock import TOKEN, VIDEO, Mock


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the exchanges that were compared with what is waited for, in order."""
    ids: list[str] = []
    original = RequestMatch.differences

    def counted(match: RequestMatch, exchange: Exchange, *shown: Any) -> list[str]:
        ids.append(exchange.id)
        return original(match, exchange, *shown)

    monkeypatch.setattr(RequestMatch, "differences", counted)
    return ids


def came(world: World, path: str = "/api/v1/credits", *, ended: bool = True) -> Exchange:
    """A request, answered with 200 or still under way."""
    exchange = world.open_exchange("GET", path)
    if ended:
        exchange.status, exchange.ended_ms = 200, world.clock.now_ms()
    return exchange


def test_a_watch_checks_each_request_once(mock: Mock, looked_at: list[str]) -> None:
    earlier = [came(mock.world).id for _ in range(500)]
    watch = RequestWatch(mock.world, RequestMatch(status=402), None)
    assert watch.look() is None
    assert looked_at == earlier
    looked_at.clear()
    assert watch.look() is None
    assert looked_at == []
    later = [came(mock.world).id for _ in range(3)]
    assert watch.look() is None
    assert looked_at == later


def test_a_watch_keeps_only_running_requests_that_may_match(
    mock: Mock, looked_at: list[str]
) -> None:
    others = [came(mock.world, ended=False) for _ in range(9)]
    mine = came(mock.world, "/hailuo/videos", ended=False)
    watch = RequestWatch(mock.world, RequestMatch(path="/hailuo/*", status=200), None)
    assert watch.look() is None
    looked_at.clear()
    assert watch.look() is None
    assert looked_at == [mine.id]
    for each in (*others, mine):
        each.status, each.ended_ms = 200, 1
    found = watch.look()
    assert found is not None
    assert found.request.id == mine.id


def test_a_watch_finds_a_request_after_others_were_evicted(mock: Mock) -> None:
    world = mock.world
    watch = RequestWatch(world, RequestMatch(path="/mine"), None)
    mine = came(world, "/mine", ended=False)
    for _ in range(world.rules.journal_exchanges + 10):
        came(world)
        assert watch.look() is None
    mine.ended_ms = 1
    found = watch.look()
    assert found is not None
    assert found.request.id == mine.id


def test_a_watch_finds_a_request_among_more_than_the_journal_keeps(
    mock: Mock, looked_at: list[str]
) -> None:
    watch = RequestWatch(mock.world, RequestMatch(status=402), None)
    ids = [came(mock.world).id for _ in range(mock.world.rules.journal_exchanges + 10)]
    assert watch.look() is None
    assert looked_at == ids[10:]


def test_a_watch_finds_later_requests_after_clearing(mock: Mock) -> None:
    world = mock.world
    watch = RequestWatch(world, RequestMatch(path="/mine"), None)
    under_way = came(world, "/mine", ended=False)
    came(world)
    assert watch.look() is None
    world.journal.clear()
    assert watch.look() is None
    under_way.ended_ms = 1
    assert watch.look() is not None


def test_a_watch_ignores_requests_that_began_before_the_named_one(mock: Mock) -> None:
    held = came(mock.world, ended=False)
    last = came(mock.world)
    watch = RequestWatch(mock.world, RequestMatch(), last.id)
    held.ended_ms = 1
    assert watch.look() is None
    later = came(mock.world)
    found = watch.look()
    assert found is not None
    assert found.request.id == later.id


def test_a_watch_finds_the_first_request_first(mock: Mock) -> None:
    watch = RequestWatch(mock.world, RequestMatch(), None)
    first = came(mock.world, ended=False)
    assert watch.look() is None
    came(mock.world)
    first.ended_ms = 1
    found = watch.look()
    assert found is not None
    assert found.request.id == first.id


def test_a_watch_of_one_task_ignores_deliveries_of_others(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[60])
    tasks = [video(mock, callback_url=NOWHERE) for _ in range(5)]
    watch = DeliveryWatch(mock.world, "succeeded", tasks[2])
    assert watch.look() is None
    calls.advance(mock, 1)
    assert watch.look() is None
    known = [each.id for each in mock.world.deliveries if each.id in watch.missed()["detail"]]
    assert known == [each.id for each in mock.world.deliveries if each.event.subject == tasks[2]]


def test_many_waits_all_end(mock: Mock) -> None:
    waiting = [
        calls.OpenRequest(mock, calls.Request("GET", f"/_mock/worlds/default/wait?{query}", {}))
        for query in ["api=acedata", "delivery=attempted", "operation=create"] * 30
    ]
    held = {"authorization": f"Bearer {TOKEN}"}
    mock.acedata("/videos", VIDEO | {"callback_url": NOWHERE, "async": True}, headers=held)
    calls.advance(mock, 1)
    assert {each.answer().status for each in waiting} == {200}
