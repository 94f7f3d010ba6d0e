"""The client of the control door, for several processes and for their proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest

from mock_server.control import AsyncControl, Control, ControlError
from tests.live import live
from tests.mock import MINIMAL


@pytest.fixture(scope="module")
def urls() -> Iterator[list[str]]:
    """Three processes; the order of their URLs is not that of their shards."""
    with ExitStack() as running:
        yield [running.enter_context(live(shard=f"{each}/3")).url for each in (1, 2, 0)]


@pytest.fixture
def control(urls: list[str]) -> Iterator[Control]:
    with Control(urls) as opened:
        yield opened
        for world in opened.worlds():
            if world.name != "default":
                world.drop()


def test_worlds_are_made_by_turns_and_each_is_used_at_its_process(
    control: Control, urls: list[str]
) -> None:
    worlds = [control.world() for _ in range(6)]
    assert [world.name[:2] for world in worlds] == ["w1", "w2", "w0"] * 2
    assert [world.plain_url for world in worlds] == urls * 2
    for world in worlds:
        headers = world.headers("rivya")
        answer = httpx2.post(f"{world.plain_url}/api/v1/generations", json=MINIMAL, headers=headers)
        assert answer.status_code == 200
        assert world.ledger("rivya-test").reserved == 57
        assert world.clock.advance(10)
        explanation = control.explain(answer.headers["mock-request"])
        assert explanation.world == world.name
    assert {world.name for world in control.worlds()} == {
        "default",
        *(world.name for world in worlds),
    }


def test_a_world_with_a_mark_is_made_and_found_at_its_process(
    control: Control, urls: list[str]
) -> None:
    assert control.world("w0-mine").plain_url == urls[2]
    assert control.find("w0-mine").name == "w0-mine"
    assert control.find().plain_url == urls[2]
    with pytest.raises(ControlError, match="none of these processes is the shard w7 of 'w7-a'"):
        control.find("w7-a")
    with pytest.raises(ControlError, match="no request with that id is known"):
        control.explain("req_unknown")


def test_one_process_of_several_lists_its_own_worlds(control: Control, urls: list[str]) -> None:
    made = control.world("w2-mine")
    with Control(urls[1]) as one:
        assert [world.name for world in one.worlds()] == [made.name]
        with pytest.raises(ControlError, match="belongs to the shard w0") as caught:
            one.find()
        assert caught.value.status == 421


def test_an_error_names_the_url_of_the_process_that_is_gone() -> None:
    with live(shard="0/2") as first, ExitStack() as running:
        second = running.enter_context(live(shard="1/2"))
        with Control([first.url, second.url]) as control:
            world = control.world("w1-a")
            running.close()
            with pytest.raises(ControlError, match=f"no server answers at {second.url}"):
                world.accounts()


def test_async_callers_reach_all_processes_too(urls: list[str], control: Control) -> None:
    async def names() -> list[str]:
        several = AsyncControl(urls)
        async with await several.world("w2-async") as world:
            await world.clock.advance(1)
            return [each.name for each in await several.worlds()]

    assert asyncio.run(names()) == ["w2-async", "default"]


def test_several_servers_must_be_different_shards(urls: list[str]) -> None:
    with live() as alone, pytest.raises(ControlError, match="start it with --shard"):
        Control([urls[0], alone.url]).worlds()
    with pytest.raises(ControlError, match="is the shard w1, as one before it is"):
        Control([urls[0], urls[0]]).find("w1-a")
    with pytest.raises(ControlError, match="the list of URLs is empty"):
        Control([])
