"""A judgement of twice as many requests takes about twice as many steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import pytest

from mock_server.verdict.catalogue import RULES
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.judging import judge
from tests.verdict.day import CREATE, LOOK, Day

LOST = {"type": "connection", "how": "reset", "when": "after"}
MOST_GROWTH = 2.5


def lost_creates(day: Day, times: int) -> None:
    day.fault(LOST, match=CREATE)
    for _ in range(times):
        day.create()


def lost_creates_with_new_keys(day: Day, times: int) -> None:
    day.fault(LOST, match=CREATE)
    for number in range(times):
        day.create(key=f"key-{number}")


def equal_creates(day: Day, times: int) -> None:
    for _ in range(times):
        day.create()


def different_creates(day: Day, times: int) -> None:
    for number in range(times):
        day.create(prompt=f"prompt {number}")


def looks(day: Day, times: int) -> None:
    task = day.create().id
    for _ in range(times):
        day.look(task)


def troubled_looks(day: Day, times: int) -> None:
    for _ in range(times // 2):
        task = day.create().id
        day.fault(LOST, match=LOOK, times=1)
        day.look(task)


def workers(day: Day, times: int) -> None:
    """Creates of two workers, which come closer to each other than their answers may be known."""
    for number in range(times):
        day.connection = number % 2
        day.create()
        day.pass_s(0.005)


def limited_looks(day: Day, times: int) -> None:
    task = day.create().id
    day.fault("rate_limited", match=LOOK)
    for _ in range(times):
        day.look(task)
        day.pass_s(0.1)


@pytest.mark.parametrize("expected_jobs", [None, 60])
@pytest.mark.parametrize(
    "behave",
    [
        lost_creates,
        lost_creates_with_new_keys,
        equal_creates,
        different_creates,
        looks,
        troubled_looks,
        workers,
        limited_looks,
    ],
)
def test_twice_as_many_requests_are_judged_in_about_twice_as_many_steps(
    behave: Callable[[Day, int], None], expected_jobs: int | None
) -> None:
    few, many = (steps_of(behave, times, expected_jobs) for times in (60, 120))
    assert many <= MOST_GROWTH * few


def steps_of(behave: Callable[[Day, int], None], times: int, expected_jobs: int | None) -> int:
    """How many functions of Python and C a judgement calls."""
    steps = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal steps
        steps += event in {"call", "c_call"}

    with Day() as day:
        for account in day.world.ledger.accounts:
            path = f"/_mock/worlds/default/accounts/{account}"
            day.door("PATCH", path, {"credits": 1_000_000})
        behave(day, times)
        evidence = replace(Evidence.of(day.world, day.fake.apis), expected_jobs=expected_jobs)
        sys.setprofile(count)
        try:
            judge(evidence, tuple(RULES.values()))
        finally:
            sys.setprofile(None)
    return steps
