"""Fixtures for tests of Rivya's API."""

from __future__ import annotations

import pytest

from tests.mock import MakeMock, Mock
from tests.rivya import PRO_CREDITS, account


@pytest.fixture
def poor(make_mock: MakeMock) -> Mock:
    """A mock whose account can pay for exactly one hailuo-pro video."""
    return make_mock(accounts=[account("rivya-test", credits=PRO_CREDITS, test={})])
