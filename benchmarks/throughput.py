"""Measures the answers per CPU second of the server under full load, relative to the bare app.

CPU seconds are used so that the load generator and other programs do not count. The later work for
a task until its end counts as part of its create.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.load_client import busy
from benchmarks.servers import Server, available_credits, bare_server, create_one, fake_server

_TASKS_READ = 256
TASK_LIFE_S = 1.3
"""Longer than a task takes from create to its end, by default."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of request: the messages, and the status of every answer."""

    key: str
    messages: list[str]
    status: int
    creates: bool = False


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure bare app and fake by turns. Both run all the time."""
    with bare_server() as bare, fake_server() as fake:
        bare.request("GET", "/bare").require(200)
        for kind in (_gets(fake), _creates(), _refused(fake)):
            yield _compare(bare, fake, kind, extent)


def _compare(bare: Server, fake: Server, kind: _Kind, extent: Extent) -> Figure:
    bare_kind = _Kind("bare", [messages.bare()], 200)
    bare_rates, fake_rates = [], []
    for _ in range(extent.rounds):
        bare_rates.append(_answers_per_cpu_s(bare, bare_kind, extent.answers))
        fake_rates.append(_paid_answers_per_cpu_s(fake, kind, extent.answers // 2))
    pairs = zip(fake_rates, bare_rates, strict=True)
    return Figure(
        kind.key,
        median(ours / theirs for ours, theirs in pairs),
        median(bare_rates),
        f"{median(fake_rates):,.0f} answers per CPU second",
    )


def _paid_answers_per_cpu_s(fake: Server, kind: _Kind, count: int) -> float:
    """The rate. Raises CannotMeasure unless exactly the accepted creates were paid."""
    before = available_credits(fake)
    rate = _answers_per_cpu_s(fake, kind, count)
    spent = before - available_credits(fake)
    expected = _price(fake) * count if kind.creates else 0
    if spent != expected:
        raise CannotMeasure(f"{count} answers took {spent} credits and not {expected}")
    return rate


def _answers_per_cpu_s(server: Server, kind: _Kind, count: int) -> float:
    with busy(server, kind.messages, count) as load:
        before_s = server.cpu_s()
        load.run(kind.status)
        if kind.creates:
            time.sleep(TASK_LIFE_S)
        return count / (server.cpu_s() - before_s)


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


def _creates() -> _Kind:
    return _Kind("create_ratio", [messages.create()], 200, creates=True)


def _refused(fake: Server) -> _Kind:
    """Creates with an invalid option. The refusal names its place."""
    refused = fake.request(
        "POST", messages.GENERATIONS, key=messages.RIVYA_KEY, body=messages.WRONG_OPTION
    ).require(400)
    if messages.WRONG_PLACE not in refused["error"]["message"]:
        raise CannotMeasure(f"the refusal does not name {messages.WRONG_PLACE}: {refused}")
    return _Kind("invalid_ratio", [messages.create(messages.WRONG_OPTION)], 400)
