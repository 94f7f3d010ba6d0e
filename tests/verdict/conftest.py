"""What all tests of rules have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mock_server.core import journal, packed_ring
from tests.verdict.day import Day


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the journal has no room for is packed at once, although it is not much."""
    monkeypatch.setattr(packed_ring, "IN_A_BLOCK", 2)
    monkeypatch.setattr(journal, "IN_A_BLOCK", 2)


@pytest.fixture
def day() -> Iterator[Day]:
    with Day() as day:
        yield day
