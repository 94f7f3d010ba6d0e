"""The async Ace Data Cloud client, with many parallel orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from acedata_async_client import AsyncAceData
from acedata_wire import MaybeCharged, TaskFailed, UsedUp

from mock_server.control import AsyncWorld

pytestmark = [pytest.mark.anyio, pytest.mark.hailuo_world(clock="frozen")]

ACCOUNT = "acedata-test"
PROMPT = "Paper boats on a pond"


@pytest.fixture
async def client(
    async_world: AsyncWorld, async_sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[AsyncAceData]:
    url = async_world.acedata_url
    async with AsyncAceData(async_world.acedata_token, url, sleep=async_sleep) as client:
        yield client


@pytest.mark.hailuo_world(scale=100)
async def test_many_held_open_requests_return_videos_in_parallel(
    async_world: AsyncWorld, client: AsyncAceData
) -> None:
    ends = await asyncio.gather(*[client.generate(f"{PROMPT}, take {take}") for take in range(20)])
    assert {task.state for task in ends} == {"succeeded"}
    assert (await async_world.ledger(ACCOUNT)).spent == 20


async def test_a_video_is_ordered_waited_for_and_saved(
    async_world: AsyncWorld, client: AsyncAceData, tmp_path: Path
) -> None:
    video = await client.wait(await client.submit(PROMPT))
    async with async_world.fault("result_cut", times=1):
        await client.download(video, tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.hailuo_world(clock="frozen", credits=3)
async def test_of_ten_parallel_orders_only_those_that_can_be_paid_are_accepted(
    async_world: AsyncWorld, client: AsyncAceData
) -> None:
    orders = [client.submit(f"{PROMPT}, take {take}") for take in range(10)]
    ends = await asyncio.gather(*orders, return_exceptions=True)
    assert sum(isinstance(end, UsedUp) for end in ends) == 7
    assert len(await async_world.tasks()) == 3


async def test_the_retry_waits_as_long_as_the_answer_says(
    async_world: AsyncWorld, client: AsyncAceData
) -> None:
    began = (await async_world.clock.get()).now
    async with async_world.fault("too_many_requests", times=2):
        await client.submit(PROMPT)
    at = [each.at - began for each in await async_world.requests(operation="create")]
    assert [pause.total_seconds() for pause in at] == [0, 2, 4]


async def test_an_order_without_an_answer_is_not_repeated(
    async_world: AsyncWorld, client: AsyncAceData
) -> None:
    async with async_world.fault("lost_answer"):
        with pytest.raises(MaybeCharged):
            await client.submit(PROMPT)
    await async_world.verify(operation="create", count=1)
    assert (await async_world.ledger(ACCOUNT)).reserved == 1


async def test_a_failed_task_raises_an_error(client: AsyncAceData) -> None:
    task_id = await client.submit(f"{PROMPT} mock:generation_failed")
    with pytest.raises(TaskFailed):
        await client.wait(task_id)
