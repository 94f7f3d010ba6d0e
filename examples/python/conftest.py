"""The fixtures of these tests. hailuo-mock has the fixtures `world` and `async_world`.

This file also puts its folder, with the clients, on the import path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from mock_server.control import AsyncWorld, World


@pytest.fixture
def sleep(world: World) -> Callable[[float], None]:
    """A sleep that advances the clock of the test's world instead of waiting."""

    def advance(seconds: float) -> None:
        world.clock.advance(float(seconds))

    return advance


@pytest.fixture
def async_sleep(async_world: AsyncWorld) -> Callable[[float], Awaitable[None]]:
    """The same as a coroutine."""

    async def advance(seconds: float) -> None:
        await async_world.clock.advance(float(seconds))

    return advance


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of `@pytest.mark.anyio`."""
    return "asyncio"
