"""Measures the cost of a request with many stored tasks, as a multiple of the cost with few.

Requests go to two servers by turns. The cost is the CPU time of the server. Reads choose their
tasks at random. The server with few tasks is started again for each turn, so that it keeps few.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.load_client import busy
from benchmarks.servers import Server, fake_server
from benchmarks.throughput import TASK_LIFE_S
from mock_server.apis.rivya import RIVYA
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids

_SEED = 1
_FILLING_S = 120.0


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure reads and creates."""
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
        yield Figure(
            f"{kind}_growth",
            median(large / small for small, large in pairs),
            note=f"{large_us:.1f} us with {many:,} tasks, {small_us:.1f} us with {few:,}",
        )


def _filled(tasks: int) -> AbstractContextManager[Server]:
    command = ["-m", "benchmarks.filled_server", str(tasks)]
    settings = {"PORT": 0, "SEED": _SEED}
    return fake_server(settings, command, timeout_s=_FILLING_S)


def _messages(kind: str, tasks: int, count: int, turn: int) -> list[str]:
    """The requests. The ids of a world's tasks follow from its seed, so they are known here."""
    if kind == "create":
        return [messages.create()]
    ids = Ids(Chance(_SEED))
    numbers = random.Random(turn).choices(range(1, tasks + 1), k=count)
    return [messages.read(RIVYA.task_id(ids, number)) for number in numbers]


def _cost_us(server: Server, sent: list[str], count: int) -> float:
    """CPU microseconds of one request."""
    with busy(server, sent, count) as load:
        before_s = server.cpu_s()
        load.run(200)
        time.sleep(TASK_LIFE_S)  # later work for a create is part of its cost
        spent_s = server.cpu_s() - before_s
    if spent_s <= 0:
        raise CannotMeasure(f"{count} requests took no measurable CPU time")
    return 1e6 * spent_s / count
