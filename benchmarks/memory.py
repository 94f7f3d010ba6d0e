"""Measures the memory with few and many tasks, and the longest pause with many.

All tasks are created over HTTP, and have ended when memory is read. The journal keeps its default
of 1,000 exchanges and is full before the first reading, so that only tasks cause the difference.

The pause is the longest single step of the server's event loop in CPU time, so that other programs
on the machine do not count. It is measured with many tasks while requests come at a steady rate,
four creates for each read, until there are three tenths more tasks: enough for a full garbage
collection. The longest wait of a caller, in wall time, is in the note.
"""

from __future__ import annotations

import json
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import messages, stories
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.latency import mixed
from benchmarks.load_client import busy, steady
from benchmarks.servers import Server, available_credits, bare_server, create_one, fake_server

_SETTLED_S = 2.0
_PROBE_RATE_PER_S = 2000.0
_CREATES_PER_READ = 4
_MIB = 1024 * 1024
_MB = 1_000_000


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure an idle server; then another one while its tasks increase."""
    yield _idle()
    yield stories.measure(extent)
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "steps.json"
        command = ["-m", "benchmarks.watched_server", str(notes), "serve", "--port", "0"]
        with fake_server(command=command) as fake:
            yield from _full(fake, extent)
            fake.worker.process.send_signal(signal.SIGUSR1)
            wait_ms = _longest_wait_ms(fake, extent)
        watched = json.loads(notes.read_text("utf-8"))
    yield Figure(
        "pause",
        watched["longest_ms"],
        note=f"longest step of the event loop, in CPU time, with {extent.many_stored:,} tasks or "
        f"more; {watched['collections']} full collections; longest wait of a caller "
        f"{wait_ms:.0f} ms",
    )


def _idle() -> Figure:
    """Measure after one create, so that all that is made at the first use exists."""
    with fake_server() as fake, bare_server() as bare:
        create_one(fake)
        bare.request("GET", "/bare").require(200)
        return Figure("idle_memory", fake.resident_bytes() / _MB, bare.resident_bytes() / _MB)


def _full(fake: Server, extent: Extent) -> Iterator[Figure]:
    few, many = extent.few_stored, extent.many_stored
    _store(fake, few)
    few_bytes = fake.resident_bytes()
    _store(fake, many - few)
    many_bytes = fake.resident_bytes()
    yield Figure("full_memory", many_bytes / _MIB, note=f"after {many:,} creates")
    slope = (many_bytes - few_bytes) / (many - few)
    yield Figure("task_memory", slope, note=f"slope from {few:,} to {many:,} tasks")


def _store(fake: Server, count: int) -> None:
    """Create tasks. Raises CannotMeasure unless each was paid."""
    price = create_one(fake)["reserved_credits"]
    before = available_credits(fake)
    with busy(fake, [messages.create()], count - 1) as load:
        load.run()
    if before - available_credits(fake) != price * (count - 1):
        raise CannotMeasure(f"{count} creates were not each paid once")
    time.sleep(_SETTLED_S)


def _longest_wait_ms(fake: Server, extent: Extent) -> float:
    mix = mixed(fake, creates_per_read=_CREATES_PER_READ)
    requests = extent.stored_while_probed * (_CREATES_PER_READ + 1) / _CREATES_PER_READ
    length_s = requests / _PROBE_RATE_PER_S
    with steady(fake, mix, rate_per_s=_PROBE_RATE_PER_S, length_s=length_s) as load:
        return load.run().latency_ms.max
