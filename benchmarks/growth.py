"""What a request costs with many tasks stored, as a multiple of what it costs with few.

Two servers, one of each kind, are asked by turns over HTTP; the cost is the CPU time of the server.
Looks pick their tasks at random. The small server is started anew for each turn: it stays small.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.loading import busy
from benchmarks.measured import CannotMeasure, Measured
from benchmarks.servers import Server, fake_server
from benchmarks.throughput import TASK_LIFE_S
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids

_SEED = 1
_FILLING_S = 120.0


def measure(extent: Extent) -> Iterator[Measured]:
    """Gets and creates."""
    few, many = extent.growth_few, extent.growth_many
    costs: dict[str, list[tuple[float, float]]] = {"get": [], "create": []}
    with _filled(many) as large:
        for turn in range(extent.growth_rounds):
            with _filled(few) as small:
                for kind, pairs in costs.items():
                    count = extent.growth_requests
                    small_us = _cost_us(small, _messages(kind, few, count, turn), count)
                    large_us = _cost_us(large, _messages(kind, many, count, turn), count)
                    pairs.append((small_us, large_us))
    for kind, pairs in costs.items():
        small_us, large_us = (median(side) for side in zip(*pairs, strict=True))
        yield Measured(
            f"{kind}_growth",
            median(large / small for small, large in pairs),
            note=f"{large_us:.1f} us with {many:,} tasks, {small_us:.1f} us with {few:,}",
        )


def _filled(tasks: int) -> AbstractContextManager[Server]:
    command = ["-m", "benchmarks.filled_server", str(tasks)]
    settings = {"PORT": 0, "SEED": _SEED}
    return fake_server(settings, command, patience_s=_FILLING_S)


def _messages(kind: str, tasks: int, count: int, turn: int) -> list[str]:
    """What to send. The ids of a world's tasks follow from its seed, so they can be told here."""
    if kind == "create":
        return [messages.create()]
    ids = Ids(Chance(_SEED))
    numbers = random.Random(turn).choices(range(1, tasks + 1), k=count)
    return [messages.get(ids.task("rivya", number)) for number in numbers]


def _cost_us(server: Server, sent: list[str], count: int) -> float:
    """CPU microseconds of one request."""
    with busy(server, sent, count) as load:
        before_s = server.cpu_s()
        load.run(200)
        time.sleep(TASK_LIFE_S)  # what a create sets off later is part of it
        spent_s = server.cpu_s() - before_s
    if spent_s <= 0:
        raise CannotMeasure(f"{count} requests took no CPU time that could be told")
    return 1e6 * spent_s / count
