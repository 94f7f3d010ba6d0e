"""Deliveries by the hundred thousand: every attempt arrives once, and memory stays what it is.

Two receivers are one process, the server is another. It runs with its defaults but for a frozen
clock, a schedule of retries and how many attempts there are at once: for both receivers together as
many as for one by default, as each open connection makes every attempt dearer. One callback in ten
is refused: most of them once, one in a hundred of all every time.

What the receivers answered and what the server's log says are each compared, by task and status,
with every attempt that there ought to be. The log is read after every thousand deliveries, as it
forgets the oldest and keeps no count of attempts.

Memory is resident memory after few and after many deliveries. Few are more than the log keeps, so
it is full both times; no requests come in, and no world keeps the tasks. What is gained between the
two is what forgotten deliveries leave behind, and nothing is collected on purpose before a reading.
The budget comes to 39 bytes a delivery: whatever kept so much as an id of each would miss it.
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
from benchmarks.measured import CannotMeasure, Measured
from benchmarks.processes import started
from benchmarks.servers import Server, fake_server
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
    """logged, answered: how often there was an attempt `TASK_ID STATUS`."""

    logged: Counter[str]
    answered: Counter[str]
    few_bytes: int
    many_bytes: int
    took_s: float
    cpu_s: float


def measure(extent: Extent) -> Iterator[Measured]:
    """One server, from its first delivery to its last."""
    few, many = extent.deliveries_few, extent.deliveries_many
    run = _run(few, many)
    expected = _expected(many)
    attempts = expected.total()
    yield Measured(
        "delivery_attempts",
        _astray(run.answered, expected) + _astray(run.logged, expected),
        note=f"{many:,} deliveries, {_refused(expected):,} of {attempts:,} attempts refused; "
        f"receivers saw {run.answered.total():,}, the log has {run.logged.total():,}; "
        f"{run.took_s:.0f} s, {1e6 * run.cpu_s / attempts:.0f} us of CPU an attempt",
    )
    yield Measured(
        "delivery_memory",
        (run.many_bytes - run.few_bytes) / _MIB,
        note=f"{run.few_bytes / _MIB:.1f} MiB after {few:,} deliveries, "
        f"{run.many_bytes / _MIB:.1f} MiB after {many:,}",
    )


def _run(few: int, many: int) -> _Run:
    with started(["-m", "benchmarks.refusing_receiver", str(_RECEIVERS)]) as receiver:
        command = ["-m", "benchmarks.delivery_server", json.dumps(receiver.hear())]
        with fake_server(_SETTINGS, command) as fake:
            before_cpu_s, began_s = fake.cpu_s(), time.monotonic()
            logged = _carried_out(fake, few)
            few_bytes = fake.resident_bytes()
            logged += _carried_out(fake, many - few)
            many_bytes = fake.resident_bytes()
            took_s, cpu_s = time.monotonic() - began_s, fake.cpu_s() - before_cpu_s
            receiver.tell("report")
            answered = Counter(receiver.hear())
    return _Run(logged, answered, few_bytes, many_bytes, took_s, cpu_s)


def _carried_out(fake: Server, deliveries: int) -> Counter[str]:
    """What the log says of this many more."""
    if deliveries % AT_ONCE:
        raise CannotMeasure(f"{deliveries} deliveries are not whole thousands")
    logged: Counter[str] = Counter()
    for _ in range(deliveries // AT_ONCE):
        fake.worker.process.send_signal(signal.SIGUSR1)
        logged.update(fake.worker.hear())
    return logged


def _expected(deliveries: int) -> Counter[str]:
    """Ids follow from the seed, answers from the number."""
    ids = Ids(Chance(_SEED))
    attempts: Counter[str] = Counter()
    for number in range(1, deliveries + 1):
        task_id, refused = ids.task("acedata", number), refusals(number)
        if refused:
            attempts[f"{task_id} 500"] = refused
        if refused <= len(RETRY_WAITS_S):
            attempts[f"{task_id} 200"] = 1
    return attempts


def _refused(attempts: Counter[str]) -> int:
    return sum(count for attempt, count in attempts.items() if attempt.endswith(" 500"))


def _astray(attempts: Counter[str], expected: Counter[str]) -> int:
    """Lost, double or with another outcome."""
    return (expected - attempts).total() + (attempts - expected).total()
