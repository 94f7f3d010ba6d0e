from __future__ import annotations

from collections.abc import Iterator

import pytest

from mock_server.control import Control, World
from tests.control.plain_client import NOW
from tests.live import live


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with live() as server:
        yield server.url


@pytest.fixture(scope="module")
def door(url: str) -> Iterator[Control]:
    with Control(url) as opened:
        yield opened


@pytest.fixture
def world(door: Control) -> Iterator[World]:
    with door.world(clock="frozen", now=NOW) as made:
        yield made
