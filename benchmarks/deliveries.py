"""Sends many deliveries: counts attempts that are lost or double, and measures memory.

Two receivers are one process, the server is another. It runs with its default settings except a
frozen clock, the waits between attempts, and the number of attempts at the same time: both
receivers together have as many as one has by default, because each open connection makes an attempt
cost more. One callback in ten is refused: most of them once, one in a hundred of all every time.

The answers of the receivers and the server's log are each compared with the expected attempts, by
task and status. The log is read after every thousand deliveries, as it forgets the oldest.

Memory is resident memory after few and after many deliveries. Few are more than the log keeps, so
it is full at both readings. No requests come in, and no world keeps the tasks. So the difference is
the memory that forgotten deliveries leave behind. No garbage collection is forced before a reading.
The budget allows 39 bytes for each delivery, which is less than an id.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.delivery_server import AT_ONCE, RETRY_WAITS_S, refusals
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.processes import started
from benchmarks.servers import Server, fake_server
from mock_server.apis.acedata import ACEDATA
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids

_SEED = 1
_RECEIVERS = 2
_PER_RECEIVER = 4
_MIB = 1024 * 1024
_SETTINGS = {
    "PORT": 0,
    "SEED": _SEED,
    "CLOCK_MODE": "frozen",
    "DELIVERIES_PER_RECEIVER": _PER_RECEIVER,
    "ACEDATA_CALLBACK_WAITS_S": ",".join(map(str, RETRY_WAITS_S)),
}


@dataclass(frozen=True, slots=True)
class _Run:
    """logged, answered: how often each attempt `TASK_ID STATUS` is there."""

    logged: Counter[str]
    answered: Counter[str]
    few_bytes: int
    many_bytes: int
    took_s: float
    cpu_s: float


def measure(extent: Extent) -> Iterator[Figure]:
    """Run one server from its first delivery to its last."""
    few, many = extent.deliveries_few, extent.deliveries_many
    run = _run(few, many)
    expected = _expected(many)
    attempts = expected.total()
    yield Figure(
        "delivery_attempts",
        _count_wrong(run.answered, expected) + _count_wrong(run.logged, expected),
        note=f"{many:,} deliveries, {_refused(expected):,} of {attempts:,} attempts refused; "
        f"receivers saw {run.answered.total():,}, the log has {run.logged.total():,}; "
        f"{run.took_s:.0f} s, {1e6 * run.cpu_s / attempts:.0f} us of CPU an attempt",
    )
    yield Figure(
        "delivery_memory",
        (run.many_bytes - run.few_bytes) / _MIB,
        note=f"{run.few_bytes / _MIB:.1f} MiB after {few:,} deliveries, "
        f"{run.many_bytes / _MIB:.1f} MiB after {many:,}",
    )


def _run(few: int, many: int) -> _Run:
    with started(["-m", "benchmarks.refusing_receiver", str(_RECEIVERS)]) as receiver:
        command = ["-m", "benchmarks.delivery_server", json.dumps(receiver.receive())]
        with fake_server(_SETTINGS, command) as fake:
            before_cpu_s, began_s = fake.cpu_s(), time.monotonic()
            logged = _deliver(fake, few)
            few_bytes = fake.resident_bytes()
            logged += _deliver(fake, many - few)
            many_bytes = fake.resident_bytes()
            took_s, cpu_s = time.monotonic() - began_s, fake.cpu_s() - before_cpu_s
            receiver.send("report")
            answered = Counter(receiver.receive())
    return _Run(logged, answered, few_bytes, many_bytes, took_s, cpu_s)


def _deliver(fake: Server, deliveries: int) -> Counter[str]:
    """Send this many more deliveries. The attempts in the log."""
    if deliveries % AT_ONCE:
        raise CannotMeasure(f"{deliveries} deliveries are not whole thousands")
    logged: Counter[str] = Counter()
    for _ in range(deliveries // AT_ONCE):
        fake.worker.process.send_signal(signal.SIGUSR1)
        logged.update(fake.worker.receive())
    return logged


def _expected(deliveries: int) -> Counter[str]:
    """The expected attempts. Ids follow from the seed, refusals from the number of the task."""
    ids = Ids(Chance(_SEED))
    attempts: Counter[str] = Counter()
    for number in range(1, deliveries + 1):
        task_id, refused = ACEDATA.task_id(ids, number), refusals(number)
        if refused:
            attempts[f"{task_id} 500"] = refused
        if refused <= len(RETRY_WAITS_S):
            attempts[f"{task_id} 200"] = 1
    return attempts


def _refused(attempts: Counter[str]) -> int:
    return sum(count for attempt, count in attempts.items() if attempt.endswith(" 500"))


def _count_wrong(attempts: Counter[str], expected: Counter[str]) -> int:
    """The number of attempts that are lost, double or have another status."""
    return (expected - attempts).total() + (attempts - expected).total()
