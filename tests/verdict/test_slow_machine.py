"""No rule accuses a client because the machine was slow.

What a server sees first may have been sent last: requests and answers are on their way for up to a
second together, and several workers of a correct client send meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verdict.day import ENDED, QUIET, Day
from tests.verdict.test_perfect_client import begin, faults
from tests.verdict.workers import SLOWEST_MS, orderers, watchers


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    with Day() as day:
        yield day


@pytest.mark.parametrize("run", [watchers, orderers])
@pytest.mark.parametrize("api", ["rivya", "acedata"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_correct_workers_on_a_slow_machine_are_never_accused(
    day: Day, api: str, run: Callable[..., int], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(faults(api), max_size=3))
    count = data.draw(st.integers(1, 3))
    random = Random(data.draw(st.integers(0, 1000)))

    def delays_ms() -> tuple[int, int]:
        return random.randint(0, SLOWEST_MS), random.randint(0, SLOWEST_MS)

    begin(day, QUIET, 1.0)
    assert run(day, api, count, lambda: (0, 0)) == 0
    begin(day, "default", 1.0)
    for fault in chosen:
        day.fault(**fault)
    started_ms = day.wall_ms
    exit_code = run(day, api, count, delays_ms)
    ended = ENDED | {"exit_code": exit_code, "started_at": started_ms, "ended_at": day.wall_ms}
    jobs = count if run is orderers else 1
    judgement = day.judge(control=True, run=ended, expected_jobs=jobs)
    assert judgement.findings == (), str(judgement)
