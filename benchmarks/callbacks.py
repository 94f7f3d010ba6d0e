"""Measures the time until many callbacks that are due at once have all arrived.

The receivers are one process, the server is another. Its tasks all end by one jump of its clock. It
runs with its default settings, and has sent no callback before. The ids are compared: the callback
of every task must arrive once.
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
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.processes import started
from benchmarks.servers import fake_server
from mock_server.apis.acedata import ACEDATA
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids

_SEED = 1
_TIMEOUT_S = 40.0
_PER_HANGING_RECEIVER = 10
"""More than the attempts at one receiver at the same time, so that each uses all of them."""


def measure(extent: Extent) -> Iterator[Figure]:
    """Send all to one receiver; then one to each of many, and more to some that hang."""
    one = [_last_arrival(extent.callbacks, receivers=1) for _ in range(extent.callback_rounds)]
    yield Figure(
        "callbacks",
        median(took_s for took_s, _ in one),
        note=f"{extent.callbacks:,} to one receiver, {_described(one)}",
    )
    served = extent.receivers - extent.hanging
    many = [
        _last_arrival(served, receivers=served, hanging=extent.hanging)
        for _ in range(extent.callback_rounds)
    ]
    yield Figure(
        "callbacks_beside",
        median(took_s for took_s, _ in many),
        note=f"{served:,} receivers beside {extent.hanging} that hang and are first, with "
        f"{_PER_HANGING_RECEIVER} each, {_described(many)}",
    )


def _described(rounds: list[tuple[float, float]]) -> str:
    slowest_s = max(took_s for took_s, _ in rounds)
    cpu_s = median(cpu_s for _, cpu_s in rounds)
    return f"slowest of {len(rounds)} rounds {slowest_s:.2f} s; {cpu_s:.2f} s of the server's CPU"


def _last_arrival(callbacks: int, *, receivers: int, hanging: int = 0) -> tuple[float, float]:
    """Seconds until the last arrival at receivers that answer, and CPU seconds of the server."""
    settings = {"PORT": 0, "SEED": _SEED, "TASKS_PROCESSING_S": TASK_LIFE_S}
    arguments = [str(receivers), str(hanging), str(callbacks)]
    with started(["-m", "benchmarks.receiver", *arguments]) as receiver:
        ports = receiver.receive()
        tasks_of_ports = [(port, _PER_HANGING_RECEIVER) for port in ports["hanging"]]
        tasks_of_ports += [(port, callbacks // receivers) for port in ports["answering"]]
        command = ["-m", "benchmarks.callback_server", json.dumps(tasks_of_ports)]
        with fake_server(settings, command) as fake:
            before_cpu_s = fake.cpu_s()
            due_s = time.monotonic()
            fake.worker.process.send_signal(signal.SIGUSR1)
            report = receiver.receive(_TIMEOUT_S)
            spent_s = fake.cpu_s() - before_cpu_s
    _require(report, callbacks, hanging)
    return report["last_s"] - due_s, spent_s


def _require(report: Any, callbacks: int, hanging: int) -> None:
    """Raise CannotMeasure unless each callback came once. Tasks of hanging receivers are first."""
    ids = Ids(Chance(_SEED))
    first = hanging * _PER_HANGING_RECEIVER + 1
    expected = Counter(ACEDATA.task_id(ids, first + number) for number in range(callbacks))
    arrived = Counter(report["task_ids"])
    if arrived != expected:
        raise CannotMeasure(
            f"of {callbacks} callbacks {(expected - arrived).total()} never arrived, and "
            f"{(arrived - expected).total()} were unknown or came twice"
        )
    if report["hung"] != hanging:
        raise CannotMeasure(f"of {hanging} receivers that hang, {report['hung']} were called")
