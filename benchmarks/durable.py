"""Measures what a state file costs: its part of a request, its size, and the next start.

Requests go to a server with a state file and to one without. The cost is the CPU time of
the server; the later work for a task, and for its row, is part of its create.
"""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.latency import mixed
from benchmarks.load_client import busy, steady
from benchmarks.servers import Server, available_credits, create_one, fake_server
from benchmarks.throughput import TASK_LIFE_S
from benchmarks.turns import Costs, Side, costs_us

_WRITTEN_S = 6.0
"""Longer than it takes until the file has the changes that no answer tells."""

_RATE_PER_S = 1000.0
_CREATES_PER_READ = 4
_START_S = 60.0
_MB = 1_000_000
_AT_ONCE = 10_000
"""Creates of one load, so that its time limit is long enough on a busy machine."""


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure creates and reads, then a file with many tasks."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"STATE_FILE": Path(folder) / "state.db"}
        with fake_server() as without, fake_server(settings) as kept:
            yield _compare("state_create", without, kept, [messages.create()], extent)
            reads = [messages.read(create_one(each)["id"]) for each in (without, kept)]
            if reads[0] != reads[1]:
                raise CannotMeasure("the two servers made different tasks")
            time.sleep(TASK_LIFE_S)
            yield _compare("state_read", without, kept, reads[:1], extent)
    with tempfile.TemporaryDirectory() as folder:
        yield from _many(Path(folder), extent)


def _compare(key: str, without: Server, kept: Server, sent: list[str], extent: Extent) -> Figure:
    """The answers per CPU second with a file, as a part of those without."""
    sides, later_s = [Side(without, sent), Side(kept, sent)], max(TASK_LIFE_S, _WRITTEN_S)
    count = extent.answers // 2
    costs = Costs([costs_us(sides, count, later_s=later_s) for _ in range(extent.rounds)])
    without_us, kept_us = costs.medians_us
    note = f"{kept_us:.1f} us with a state file, {without_us:.1f} us without"
    return Figure(key, 1 / costs.ratio, note=note)


def _many(folder: Path, extent: Extent) -> Iterator[Figure]:
    """The longest pause with many tasks, the size of their file, and the start after a kill with
    its memory."""
    file, notes, tasks = folder / "state.db", folder / "steps.json", extent.many_stored
    settings = {"STATE_FILE": file}
    command = ["-m", "benchmarks.watched_server", str(notes), "serve", "--port", "0"]
    with fake_server(settings, command) as kept:
        _store(kept, tasks)
        kept.worker.process.send_signal(signal.SIGUSR1)
        mix = mixed(kept, creates_per_read=_CREATES_PER_READ)
        with steady(kept, mix, rate_per_s=_RATE_PER_S, length_s=10 * extent.turn_s) as load:
            longest_wait_ms = load.run().latency_ms.max
        stored, before_bytes = _tasks(kept), kept.resident_bytes()
    longest_ms = json.loads(notes.read_text("utf-8"))["longest_ms"]
    yield Figure(
        "state_pause",
        longest_ms,
        note=f"longest step of the loop, in CPU time; wait of a caller {longest_wait_ms:.0f} ms",
    )
    yield Figure("state_size", file.stat().st_size / stored, note=f"with {stored:,} tasks")
    with fake_server(settings, timeout_s=_START_S) as kept:
        left = available_credits(kept)
        kept.worker.process.kill()
        kept.worker.wait()
    began_s = time.perf_counter()
    with fake_server(settings, timeout_s=_START_S) as kept:
        wall_s, cpu_s = time.perf_counter() - began_s, kept.cpu_s()
        after_bytes = kept.resident_bytes()
        if available_credits(kept) != left or _tasks(kept) != stored:
            raise CannotMeasure("the server has other credits or tasks after its restart")
    yield Figure(
        "state_restart",
        cpu_s,
        note=f"CPU seconds until ready with {stored:,} tasks; {wall_s:.2f} s",
    )
    yield Figure(
        "state_memory",
        after_bytes / before_bytes,
        note=f"{after_bytes / _MB:.0f} MB after it, {before_bytes / _MB:.0f} MB before",
    )


def _store(kept: Server, count: int) -> None:
    for first in range(0, count, _AT_ONCE):
        with busy(kept, [messages.create()], min(_AT_ONCE, count - first)) as load:
            load.run()
    time.sleep(max(TASK_LIFE_S, _WRITTEN_S))


def _tasks(kept: Server) -> int:
    listed = kept.request("GET", "/_mock/worlds/default/tasks?limit=1").require(200)
    return int(listed["total"])
