"""Measures the cost of the pytest fixtures: start and stop once, a world for each test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

from benchmarks.extent import Extent
from benchmarks.figures import Figure
from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.control import Control
from mock_server.server.embedded import served

_STARTS = 15
_WORLDS = 300
_SETTINGS, _ = read_settings(flags={"port": 0}, environment={}, file=None, apis=ALL)


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure in this process, as in a suite. Imports are not part of it."""
    del extent  # it is short enough to run in full
    starts_ms, stops_ms = zip(*[_start_and_stop_ms() for _ in range(_STARTS)], strict=True)
    yield Figure("fixture_start", median(starts_ms), None, f"worst {max(starts_ms):.1f} ms")
    yield Figure("fixture_stop", median(stops_ms), None, f"worst {max(stops_ms):.1f} ms")
    made_ms: list[float] = []
    reset_ms: list[float] = []
    dropped_ms: list[float] = []
    with served(_SETTINGS) as url, Control(url) as control:
        for _ in range(_WORLDS):
            began_s = time.perf_counter()
            world = control.world()
            made_ms.append(_ms_since(began_s))
            began_s = time.perf_counter()
            world.reset()
            reset_ms.append(_ms_since(began_s))
            began_s = time.perf_counter()
            world.drop()
            dropped_ms.append(_ms_since(began_s))
    dropped = f"dropping it {median(dropped_ms):.1f} ms"
    yield Figure("fixture_world", median(made_ms), None, f"{_worst(made_ms)}; {dropped}")
    yield Figure("fixture_reset", median(reset_ms), None, _worst(reset_ms))


def _start_and_stop_ms() -> tuple[float, float]:
    """Milliseconds until the first answer of the control door, and from then until the stop."""
    began_s = time.perf_counter()
    serving = served(_SETTINGS)
    with Control(serving.__enter__()) as control:
        control.version()
        started_s = time.perf_counter()
    serving.__exit__(None, None, None)
    return 1000 * (started_s - began_s), _ms_since(started_s)


def _ms_since(began_s: float) -> float:
    return 1000 * (time.perf_counter() - began_s)


def _worst(figures_ms: list[float]) -> str:
    return f"p99 {sorted(figures_ms)[int(len(figures_ms) * 0.99)]:.1f} ms"
