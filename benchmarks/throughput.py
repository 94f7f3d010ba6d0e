"""Measures the answers per CPU second of the server under full load, relative to the bare app.

CPU seconds are used so that the load generator and other programs do not count. The later work for
a task until its end counts as part of its create.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.servers import Server, available_credits, bare_server, create_one, fake_server
from benchmarks.turns import Costs, Side, costs_us

_TASKS_READ = 256
TASK_LIFE_S = 1.3
"""Longer than a task takes from create to its end, by default."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of request: the messages, the status of every answer, and what one costs."""

    key: str
    messages: list[str]
    status: int
    price: int = 0


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure bare app and fake. Both run all the time."""
    with bare_server() as bare, fake_server() as fake:
        bare.request("GET", "/bare").require(200)
        for kind in (_gets(fake), _creates(fake), _refused(fake)):
            yield _compare(bare, fake, kind, extent)


def _compare(bare: Server, fake: Server, kind: _Kind, extent: Extent) -> Figure:
    sides = [Side(bare, [messages.bare()]), Side(fake, kind.messages, kind.status)]
    costs = Costs([_paid(fake, sides, kind, extent.answers // 2) for _ in range(extent.rounds)])
    bare_us, fake_us = costs.medians_us
    note = f"{1e6 / fake_us:,.0f} answers per CPU second"
    return Figure(kind.key, 1 / costs.ratio, 1e6 / bare_us, note)


def _paid(fake: Server, sides: list[Side], kind: _Kind, count: int) -> tuple[float, float]:
    """The costs. Raises CannotMeasure unless exactly the accepted creates were paid."""
    before = available_credits(fake)
    costs = costs_us(sides, count, later_s=TASK_LIFE_S if kind.price else 0.0)
    spent = before - available_credits(fake)
    if spent != kind.price * count:
        raise CannotMeasure(f"{count} answers took {spent} credits and not {kind.price * count}")
    return costs


def _price(fake: Server) -> int:
    price = create_one(fake)["reserved_credits"]
    assert isinstance(price, int)
    return price


def _gets(fake: Server) -> _Kind:
    """Reads of tasks that succeeded, which have the longest answer."""
    ids = [create_one(fake)["id"] for _ in range(_TASKS_READ)]
    time.sleep(TASK_LIFE_S)
    path = f"{messages.GENERATIONS}/{ids[-1]}"
    shown = fake.request("GET", path, key=messages.RIVYA_KEY).require(200)
    if shown["id"] != ids[-1] or shown["status"] != "succeeded":
        raise CannotMeasure(f"expected a task that has succeeded, got {shown}")
    return _Kind("get_ratio", [messages.read(task_id) for task_id in ids], 200)


def _creates(fake: Server) -> _Kind:
    return _Kind("create_ratio", [messages.create()], 200, _price(fake))


def _refused(fake: Server) -> _Kind:
    """Creates with an invalid option. The refusal names its place."""
    refused = fake.request(
        "POST", messages.GENERATIONS, key=messages.RIVYA_KEY, body=messages.WRONG_OPTION
    ).require(400)
    if messages.WRONG_PLACE not in refused["error"]["message"]:
        raise CannotMeasure(f"the refusal does not name {messages.WRONG_PLACE}: {refused}")
    return _Kind("invalid_ratio", [messages.create(messages.WRONG_OPTION)], 400)
