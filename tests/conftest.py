from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.mock import Mock

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


@pytest.fixture
def make_mock() -> Iterator[Callable[..., Mock]]:
    """Makes fakes with settings of their own; every answer of theirs must keep the contract."""
    made: list[Mock] = []

    def make(**changes: Any) -> Mock:
        made.append(Mock(**changes))
        return made[-1]

    yield make
    for mock in made:
        mock.close()


@pytest.fixture
def mock(make_mock: Callable[..., Mock]) -> Mock:
    """The fake with its defaults, on a frozen clock."""
    return make_mock()
