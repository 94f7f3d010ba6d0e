"""No single request holds the others up: the loop is never long at one step, whatever is sent.

The corpus is that of `make bench`, which measures how long others really wait. Here a step counts
by the CPU time of the loop's thread, so that a busy machine does not decide, with a generous bound.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest

from benchmarks.worst_requests import Sent, Situation, batch, situations
from mock_server.server.app import make_app
from mock_server.simulation.state import make_fake
from mock_server.simulation.wall_clock import wall_ms
from tests.asgi import Answer, Driver
from tests.mock import settings_of

MOST_S = 0.25
SCALE = 0.05
SITUATIONS = list(situations(SCALE))
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
    """How long the loop is busy with one thing."""
    return Steps(monkeypatch)


@pytest.fixture
def driver() -> Iterator[Driver]:
    """The fake, and nothing around it; the tests' own objects are no work for the collector."""
    gc.collect()
    gc.freeze()
    fake = make_fake(settings_of(clock__mode="real"), wall_ms)
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
    """Every request keeps the loop for a short time only, and breaks nothing."""
    for name, sent in worst.items():
        steps.longest_s = 0.0
        answer = ask(driver, sent)
        assert steps.longest_s < MOST_S, name
        assert answer.status != 500, (name, answer.body[:500])


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda each: next(iter(each.worst)))
def test_no_step_of_the_loop_is_long(driver: Driver, steps: Steps, situation: Situation) -> None:
    before = [ask(driver, sent) for sent in situation.before]
    worst = dict(situation.worst)
    if before and b'"task_id"' in before[0].body:
        worst["a batch of large tasks"] = batch([each.json()["task_id"] for each in before])
    require_short(driver, steps, worst)
