"""Measures threads, and the latency of other requests, while many requests are held open.

The held requests are AceData's creates without callback, on a server whose tasks take long. The
time of the first answer shows that all were held while the other requests were measured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.latency import described, median_p99, mixed, turn
from benchmarks.load_client import holding
from benchmarks.servers import Server, create_one, fake_server

_ARRIVAL_S = 4.0
_BETWEEN_S = 0.7
_AFTERWARDS_S = 1.0


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure threads before and while requests are held, and the latency of others."""
    held_s = extent.held_turns * (extent.turn_s + _BETWEEN_S) + _ARRIVAL_S
    with fake_server({"TASKS_QUEUED_S": 0, "TASKS_PROCESSING_S": held_s}) as fake:
        create_one(fake)
        mix = mixed(fake)
        threads_before = fake.threads()
        with holding(fake, messages.held_video(), extent.held) as held:
            answers_due_s = time.monotonic() + held_s
            held.start()
            turns = [turn(fake, mix, extent.turn_s) for _ in range(extent.held_turns)]
            measured_until_s = time.monotonic()
            threads_more = fake.threads() - threads_before
            _require_held(fake, extent.held)
            end = turn(fake, mix, answers_due_s - time.monotonic() + _AFTERWARDS_S)
            answered = held.finish()
    if answered.first_s < measured_until_s:
        raise CannotMeasure("the first held request was answered before the others were timed")
    took_ms = 1000 * (answered.last_s - answered.first_s)
    yield Figure(
        "held_threads",
        threads_more,
        note=f"{extent.held:,} held, all answered 200 in the end, within {took_ms:.0f} ms; "
        f"others then waited up to {end.latency_ms.max:.0f} ms",
    )
    yield Figure("held_p99", median_p99(turns), note=described(turns))


def _require_held(fake: Server, count: int) -> None:
    if fake.open_files() < count:
        raise CannotMeasure(f"{count} were to be held, and {fake.open_files()} sockets are open")
