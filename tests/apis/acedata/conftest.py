"""A time limit for tests of requests that are held open."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

LONGEST_TEST_S = 60


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """Fails a test in which a request stays open because the clock does not move."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(*_: object) -> None:
        raise TimeoutError("held open, and the clock did not move")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST_TEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
