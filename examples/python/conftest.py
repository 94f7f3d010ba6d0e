"""What the tests of these clients share. `world` and `async_world` come with hailuo-mock.

That this file is here puts the clients beside it on the import path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from mock_server.control import AsyncWorld, World


@pytest.fixture
def sleep(world: World) -> Callable[[float], None]:
    """For clients that pause: seconds pass in the test's world, and nobody waits for them."""

    def pass_by(seconds: float) -> None:
        world.clock.advance(float(seconds))

    return pass_by


@pytest.fixture
def async_sleep(async_world: AsyncWorld) -> Callable[[float], Awaitable[None]]:
    """The same for clients that await."""

    async def pass_by(seconds: float) -> None:
        await async_world.clock.advance(float(seconds))

    return pass_by


@pytest.fixture
def anyio_backend() -> str:
    """Which event loop `@pytest.mark.anyio` runs a test on."""
    return "asyncio"
