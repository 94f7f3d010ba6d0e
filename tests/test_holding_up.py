"""No single request delays the others: no step of the loop is long, for every request.

The corpus is that of `make bench`, which measures how long others really wait. Here a step counts
by the CPU time of the loop's thread, so that a busy machine does not decide, with a generous bound.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from functools import cache

import pytest

from benchmarks.worst_requests import Sent, Situation, batch, situations
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from mock_server.simulation.wall_clock import wall_ms
from tests.asgi import Answer, Driver
from tests.mock import settings_of

MOST_S = 0.25
SCALE = 0.05
SITUATIONS = 7
CHUNK_BYTES = 64 * 1024


class Steps:
    """The longest step of any event loop since `longest_s` was last set to 0."""

    longest_s = 0.0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            began_s = time.thread_time()
            run(handle)
            self.longest_s = max(self.longest_s, time.thread_time() - began_s)

        monkeypatch.setattr(asyncio.Handle, "_run", timed)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """The steps of the loop, timed."""
    return Steps(monkeypatch)


@pytest.fixture
def driver() -> Iterator[Driver]:
    """A server without a wrapper. The collector ignores the objects of the tests."""
    gc.collect()
    gc.freeze()
    fake = make_server(settings_of(clock__mode="real"), wall_ms)
    driver = Driver(make_app(fake))
    yield driver
    driver.loop.run_until_complete(fake.close())
    driver.close()
    gc.unfreeze()


def ask(driver: Driver, sent: Sent) -> Answer:
    """Send a request as it comes from a socket: in chunks."""
    chunks = [
        sent.body[start : start + CHUNK_BYTES] for start in range(0, len(sent.body), CHUNK_BYTES)
    ]
    headers = sent.headers | {"content-length": str(len(sent.body))}
    return driver.request(sent.method, sent.path, headers=headers, chunks=chunks or [b""])


def require_short(driver: Driver, steps: Steps, worst: dict[str, Sent]) -> None:
    """Fails if a request keeps the loop for long, or is answered with 500."""
    for name, sent in worst.items():
        steps.longest_s = 0.0
        answer = ask(driver, sent)
        assert steps.longest_s < MOST_S, name
        assert answer.status != 500, (name, answer.body[:500])


@cache
def all_situations() -> list[Situation]:
    found = list(situations(SCALE))
    assert len(found) == SITUATIONS
    return found


@pytest.mark.parametrize("number", range(SITUATIONS))
def test_no_step_of_the_loop_is_long(driver: Driver, steps: Steps, number: int) -> None:
    situation = all_situations()[number]
    before = [ask(driver, sent) for sent in situation.before]
    worst = dict(situation.worst)
    if before and b'"task_id"' in before[0].body:
        worst["a batch of large tasks"] = batch([each.json()["task_id"] for each in before])
    require_short(driver, steps, worst)
