"""From one instant at which many callbacks come due to the arrival of the last one.

The receivers are one process, the server is another, and its tasks all end by one jump of its
clock. It runs with its defaults, and has never called anybody before. Ids are compared: what
arrives must be every task's callback, once.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.callback_server import TASK_LIFE_S
from benchmarks.extent import Extent
from benchmarks.measured import CannotMeasure, Measured
from benchmarks.processes import started
from benchmarks.servers import fake_server
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids

_SEED = 1
_PATIENCE_S = 40.0
_OWED_TO_WHO_HANGS = 10
"""More than are tried at once at one receiver: each that hangs takes all it can get."""


def measure(extent: Extent) -> Iterator[Measured]:
    """All to one receiver, then one each to many of which some hang and are owed more."""
    one = [_last_arrival(extent.callbacks, receivers=1) for _ in range(extent.callback_rounds)]
    yield Measured(
        "callbacks",
        median(took_s for took_s, _ in one),
        note=f"{extent.callbacks:,} to one receiver, {_described(one)}",
    )
    served = extent.receivers - extent.hanging
    many = [
        _last_arrival(served, receivers=served, hanging=extent.hanging)
        for _ in range(extent.callback_rounds)
    ]
    yield Measured(
        "callbacks_beside",
        median(took_s for took_s, _ in many),
        note=f"{served:,} receivers beside {extent.hanging} that hang, first in line and owed "
        f"{_OWED_TO_WHO_HANGS} each, {_described(many)}",
    )


def _described(rounds: list[tuple[float, float]]) -> str:
    slowest_s = max(took_s for took_s, _ in rounds)
    cpu_s = median(cpu_s for _, cpu_s in rounds)
    return f"slowest of {len(rounds)} rounds {slowest_s:.2f} s; {cpu_s:.2f} s of the server's CPU"


def _last_arrival(callbacks: int, *, receivers: int, hanging: int = 0) -> tuple[float, float]:
    """Seconds from the instant to the last arrival at those that answer, and CPU seconds spent."""
    settings = {"PORT": 0, "SEED": _SEED, "TASKS_PROCESSING_S": TASK_LIFE_S}
    numbers = [str(receivers), str(hanging), str(callbacks)]
    with started(["-m", "benchmarks.receiver", *numbers]) as receiver:
        ports = receiver.hear()
        owed = [(port, _OWED_TO_WHO_HANGS) for port in ports["hanging"]]
        owed += [(port, callbacks // receivers) for port in ports["answering"]]
        command = ["-m", "benchmarks.callback_server", json.dumps(owed)]
        with fake_server(settings, command) as fake:
            before_cpu_s = fake.cpu_s()
            instant_s = time.monotonic()
            fake.worker.process.send_signal(signal.SIGUSR1)
            report = receiver.hear(_PATIENCE_S)
            spent_s = fake.cpu_s() - before_cpu_s
    _require(report, callbacks, hanging)
    return report["last_s"] - instant_s, spent_s


def _require(report: Any, callbacks: int, hanging: int) -> None:
    """Those owed to who hangs are the oldest tasks; ids follow from the seed."""
    ids = Ids(Chance(_SEED))
    first = hanging * _OWED_TO_WHO_HANGS + 1
    expected = Counter(ids.task("acedata", first + number) for number in range(callbacks))
    arrived = Counter(report["task_ids"])
    if arrived != expected:
        raise CannotMeasure(
            f"of {callbacks} callbacks {(expected - arrived).total()} never arrived, and "
            f"{(arrived - expected).total()} were strange or came twice"
        )
    if report["hung"] != hanging:
        raise CannotMeasure(f"of {hanging} receivers that hang, {report['hung']} were called")
