"""Memory as tasks pile up, and the longest pause once there are many.

All tasks are made over HTTP and have ended when memory is read. The journal keeps its default of
1,000 exchanges and is full long before the first reading, so the slope between the two readings is
the tasks' alone.

The pause is the longest single step of the server's event loop, in CPU time, so that other programs
on the machine add nothing. It is watched from the large number of tasks on, while requests come at
a steady rate, four creates and a look by turns, until tasks have grown by three tenths: enough for
a full garbage collection. The longest wait of a caller, in wall time, is noted beside it.
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
from benchmarks.latency import mixed
from benchmarks.loading import busy, steady
from benchmarks.measured import CannotMeasure, Measured
from benchmarks.servers import Server, available_credits, bare_server, create_one, fake_server

_SETTLED_S = 2.0
_PROBE_RATE_PER_S = 2000.0
_CREATES_PER_LOOK = 4
_MIB = 1024 * 1024
_MB = 1_000_000


def measure(extent: Extent) -> Iterator[Measured]:
    """Idle first, in a server of its own; then one server that fills up."""
    yield _idle()
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "steps.json"
        command = ["-m", "benchmarks.watched_server", str(notes), "serve", "--port", "0"]
        with fake_server(command=command) as fake:
            yield from _full(fake, extent)
            fake.worker.process.send_signal(signal.SIGUSR1)
            wait_ms = _longest_wait_ms(fake, extent)
        seen = json.loads(notes.read_text("utf-8"))
    yield Measured(
        "pause",
        seen["longest_ms"],
        note=f"longest step of the event loop, in CPU time, from {extent.many_stored:,} tasks on, "
        f"with {seen['collections']} full collections; longest wait of a caller {wait_ms:.0f} ms",
    )


def _idle() -> Measured:
    """After one request of a kind, so that what is made on first use is there."""
    with fake_server() as fake, bare_server() as bare:
        create_one(fake)
        bare.ask("GET", "/bare").require(200)
        return Measured("idle_memory", fake.resident_bytes() / _MB, bare.resident_bytes() / _MB)


def _full(fake: Server, extent: Extent) -> Iterator[Measured]:
    few, many = extent.few_stored, extent.many_stored
    _store(fake, few)
    few_bytes = fake.resident_bytes()
    _store(fake, many - few)
    many_bytes = fake.resident_bytes()
    yield Measured("full_memory", many_bytes / _MIB, note=f"after {many:,} creates")
    slope = (many_bytes - few_bytes) / (many - few)
    yield Measured("task_memory", slope, note=f"slope from {few:,} to {many:,} tasks")


def _store(fake: Server, count: int) -> None:
    """Make tasks; raises CannotMeasure unless each was paid for."""
    price = create_one(fake)["reserved_credits"]
    before = available_credits(fake)
    with busy(fake, [messages.create()], count - 1) as load:
        load.run()
    if before - available_credits(fake) != price * (count - 1):
        raise CannotMeasure(f"{count} creates were not paid for one by one")
    time.sleep(_SETTLED_S)


def _longest_wait_ms(fake: Server, extent: Extent) -> float:
    mix = mixed(fake, creates_per_look=_CREATES_PER_LOOK)
    requests = extent.stored_while_probed * (_CREATES_PER_LOOK + 1) / _CREATES_PER_LOOK
    length_s = requests / _PROBE_RATE_PER_S
    with steady(fake, mix, rate_per_s=_PROBE_RATE_PER_S, length_s=length_s) as load:
        return load.run().latency_ms.max
