"""Measures two processes behind nginx against one: how many answers two cores give.

Measured: the CPU seconds of each process and of nginx for a number of requests, once with all of
them for worlds of the first process, once for worlds of both by turns on twice as many connections.
The load generator has no part in CPU seconds. Other programs make them more and never less, by the
caches that they empty, so the cheapest turn counts.

Computed: one core runs one process and nginx, two cores run two processes and nginx. The figure is
2 · (s1 + p1) / (s2 + p2): s are the CPU seconds of the processes, p those of nginx. For s2 the
busier process counts twice, because the other one cannot take its requests. The note has the ratio
for one process that has a core without nginx, too: 2 · s1 / (s2 + p2).
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import CannotMeasure, Figure
from benchmarks.load_client import BUSY_CONNECTIONS, busy
from benchmarks.processes import started
from benchmarks.servers import FAKE, Server, cpu_s_of
from tools.proxy import accepting, command_of, free_port, program

_WORLDS_OF_EACH = 16
_CREDITS = 10**15
_READS_PER_CREATE = 3
_TASK_LIFE_S = 1.3
_STARTED_S = 10.0


class _Proxy:
    """nginx with its workers. port: where it listens."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self._process = process

    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        return sum(cpu_s_of(each.pid) for each in [self._process, *self._process.children()])


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure one process and two by turns."""
    ones, twos = [], []
    with _two_processes() as (proxy, *processes):
        both = [_messages(process, number) for number, process in enumerate(processes)]
        mixed = [message for pair in zip(*both, strict=True) for message in pair]
        count = extent.answers // 4
        _spent(proxy, processes, mixed, count)  # a warm-up
        for _ in range(2 * extent.rounds):
            ones.append(_spent(proxy, processes[:1], both[0], count))
            twos.append(_spent(proxy, processes, mixed, count))
    one, two = (min(each, key=lambda cost: cost.all_us) for each in (ones, twos))
    yield Figure(
        "two_processes",
        2 * one.all_us / two.all_us,
        note=f"computed from CPU us of an answer, process + nginx: {one} with one process, {two} "
        f"with two, the cheapest of {len(ones)} turns; one create for {_READS_PER_CREATE} reads; "
        f"{2 * one.processes_us / two.all_us:.2f} x of one process with a core without nginx",
    )


class _Cost(NamedTuple):
    """CPU microseconds of an answer, of the processes and of the proxy."""

    processes_us: float
    proxy_us: float

    @property
    def all_us(self) -> float:
        return self.processes_us + self.proxy_us

    def __str__(self) -> str:
        return f"{self.processes_us:.0f} + {self.proxy_us:.0f}"


def _spent(proxy: _Proxy, processes: list[Server], sent: list[str], count: int) -> _Cost:
    """The cost of so many answers, as if every process were as busy as the busiest one."""
    before = [each.cpu_s() for each in processes], proxy.cpu_s()
    with busy(proxy, sent, count, BUSY_CONNECTIONS * len(processes)) as load:
        load.run()
    time.sleep(_TASK_LIFE_S)  # the ends of the tasks are a part of their cost
    spent_s = [each.cpu_s() - earlier for each, earlier in zip(processes, before[0], strict=True)]
    micro = 1e6 / count
    return _Cost(micro * max(spent_s) * len(processes), micro * (proxy.cpu_s() - before[1]))


def _messages(process: Server, number: int) -> list[str]:
    """Creates and reads with the keys of new worlds of one process."""
    sent = []
    for _ in range(_WORLDS_OF_EACH):
        path = "/_mock/worlds"
        made = process.request("POST", path, body={"credits": _CREDITS}).require(201)
        if not made["name"].startswith(f"w{number}-"):
            raise CannotMeasure(f"the shard w{number} made a world called {made['name']}")
        key = made["keys"][0]["key"]
        create: dict[str, Any] = {"key": key, "body": messages.MINIMAL}
        task = process.request("POST", messages.GENERATIONS, **create).require(200)
        read = messages.message("GET", f"{messages.GENERATIONS}/{task['id']}", key=key)
        sent += [
            messages.message("POST", messages.GENERATIONS, **create),
            *[read] * _READS_PER_CREATE,
        ]
    return sent


@contextmanager
def _two_processes() -> Iterator[tuple[_Proxy, Server, Server]]:
    """nginx and two processes behind it."""
    if program("nginx") is None:
        raise CannotMeasure("no nginx is installed")
    with ExitStack() as ending:
        workers = [
            ending.enter_context(started([*FAKE, "--shard", f"{number}/2"])) for number in (0, 1)
        ]
        first, second = (Server(worker, _STARTED_S) for worker in workers)
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        command = command_of("nginx", folder, port, [first.port, second.port])
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        ending.callback(running.wait)
        ending.callback(running.terminate)
        accepting(port, running).close()
        yield _Proxy(port, psutil.Process(running.pid)), first, second
