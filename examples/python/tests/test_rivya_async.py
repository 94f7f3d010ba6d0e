"""The async Rivya client, with many parallel orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from rivya_async_client import AsyncRivya
from rivya_wire import GenerationFailed, IdempotencyConflict, InsufficientCredits

from mock_server.control import AsyncWorld

pytestmark = [pytest.mark.anyio, pytest.mark.hailuo_world(clock="frozen")]

ACCOUNT = "rivya-test"
PRICE = 57
PROMPT = "Slow dolly towards a lighthouse at dusk"


@pytest.fixture
async def client(
    async_world: AsyncWorld, async_sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[AsyncRivya]:
    async with AsyncRivya(
        async_world.rivya_key, async_world.rivya_url, sleep=async_sleep
    ) as client:
        yield client


async def test_a_video_is_ordered_waited_for_and_saved(
    async_world: AsyncWorld, client: AsyncRivya, tmp_path: Path
) -> None:
    ordered = await client.create(PROMPT)
    video = await client.wait(ordered.id)
    async with async_world.fault("result_cut", times=1):
        await client.download(video, tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
    assert await client.credits() == 1_000_000 - PRICE


@pytest.mark.hailuo_world(clock="frozen", credits=3 * PRICE)
async def test_of_ten_parallel_orders_only_those_that_can_be_paid_are_accepted(
    async_world: AsyncWorld, client: AsyncRivya
) -> None:
    orders = [client.create(f"{PROMPT}, take {take}") for take in range(10)]
    ends = await asyncio.gather(*orders, return_exceptions=True)
    assert sum(isinstance(end, InsufficientCredits) for end in ends) == 7
    assert len(await async_world.tasks()) == 3
    assert (await async_world.ledger(ACCOUNT)).available == 0


async def test_parallel_orders_with_one_name_are_charged_once(
    async_world: AsyncWorld, client: AsyncRivya
) -> None:
    ends = await asyncio.gather(*[client.create(PROMPT, order="shot-42") for _ in range(10)])
    assert len({generation.id for generation in ends}) == 1
    assert (await async_world.ledger(ACCOUNT)).reserved == PRICE


async def test_one_name_for_two_different_orders_is_a_conflict(client: AsyncRivya) -> None:
    await client.create(PROMPT, order="shot-42")
    with pytest.raises(IdempotencyConflict):
        await client.create("Something else", order="shot-42")


async def test_the_retry_waits_as_long_as_the_answer_says(
    async_world: AsyncWorld, client: AsyncRivya
) -> None:
    began = (await async_world.clock.get()).now
    async with async_world.fault("rate_limited", times=2):
        await client.create(PROMPT)
    at = [each.at - began for each in await async_world.requests(operation="create")]
    assert [pause.total_seconds() for pause in at] == [0, 2, 4]


async def test_an_order_whose_answer_is_lost_is_paid_once(
    async_world: AsyncWorld, client: AsyncRivya
) -> None:
    async with async_world.fault("lost_answer"):
        ordered = await client.create(PROMPT)
    assert [task.id for task in await async_world.tasks()] == [ordered.id]
    await async_world.verify(operation="create", count=2)


async def test_a_failed_generation_raises_an_error_and_is_refunded(
    async_world: AsyncWorld, client: AsyncRivya
) -> None:
    ordered = await client.create(f"{PROMPT} mock:generation_failed")
    with pytest.raises(GenerationFailed):
        await client.wait(ordered.id)
    assert (await async_world.ledger(ACCOUNT)).available == 1_000_000
