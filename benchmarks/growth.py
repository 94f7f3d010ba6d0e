"""What a request costs with many tasks stored, as a multiple of what it costs with few.

Two processes hold an app each and are asked by turns, without sockets, so that nothing but the app
is in the figure. Looks pick their tasks at random. Full garbage collections fall between the turns
on both sides: per create they cost the same at any size, and how long they last is in the pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from statistics import median

from benchmarks.extent import Extent
from benchmarks.measured import CannotMeasure, Measured
from benchmarks.processes import Worker, started

_FILLING_S = 120.0


def measure(extent: Extent) -> Iterator[Measured]:
    """Gets and creates. The small app is made anew for each turn, so that it stays small."""
    few, many = extent.growth_few, extent.growth_many
    costs: dict[str, list[tuple[float, float]]] = {"get": [], "create": []}
    with _filled(few) as small, _filled(many) as large:
        _fill(small, few)
        _fill(large, many)
        for _ in range(extent.growth_rounds):
            for kind, pairs in costs.items():
                small_us = _cost_us(small, kind, extent.growth_requests)
                pairs.append((small_us, _cost_us(large, kind, extent.growth_requests)))
            _fill(small, few)
    for kind, pairs in costs.items():
        small_us, large_us = (median(side) for side in zip(*pairs, strict=True))
        yield Measured(
            f"{kind}_growth",
            median(large / small for small, large in pairs),
            note=f"{large_us:.1f} us with {many:,} tasks, {small_us:.1f} us with {few:,}, no HTTP",
        )


def _filled(tasks: int) -> AbstractContextManager[Worker]:
    return started(["-m", "benchmarks.filled_app", str(tasks)])


def _fill(worker: Worker, tasks: int) -> None:
    worker.tell({"fill": True})
    stored = worker.hear(_FILLING_S)["stored"]
    if not tasks <= stored <= 1.5 * tasks:
        raise CannotMeasure(f"{tasks} tasks were to be stored, {stored} are")


def _cost_us(worker: Worker, kind: str, count: int) -> float:
    """CPU microseconds of one request."""
    worker.tell({kind: count})
    return 1e6 * float(worker.hear()["cpu_s"]) / count
