"""Measures two processes behind nginx against one: how many answers two cores give.

Each load goes to worlds of the first process alone, or to those of both by turns on twice as many
connections. Two figures, because two cores also run the load generator:

- `two_processes`, computed from CPU seconds, in which the load generator has no part. One core runs
  one process and nginx, two cores run two processes and nginx. The figure is
  2 · (s1 + p1) / (s2 + p2): s are the CPU seconds of the processes, p those of nginx. For s2 the
  busier process counts twice, because the other one cannot take its requests. Other programs make
  them more and never less, by the caches that they empty, so the cheapest turn counts. The note has
  the ratio for one process that has a core without nginx, too: 2 · s1 / (s2 + p2).
- `two_processes_wall`, measured by the clock. One process and nginx are bound to one core, and the
  load generator to the other one; then all of them, and the second process, run on both cores. In
  the second case the time of the load generator is subtracted: two cores had 2 · t - g seconds for
  everything else, so the rate is n / (t - g / 2). Other programs make it wrong: the machine must be
  quiet. The quickest turn counts. There is none where a process cannot be bound to a core (macOS).
"""

from __future__ import annotations

import os
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
_WALL_TURNS, _WALL_ANSWERS = 3, 3
"""Turns by the clock, and answers of each as a multiple of `Extent.answers`: some seconds, so that
most tasks end in them."""
_TASK_LIFE_S = 1.3
_STARTED_S = 10.0


class _Proxy:
    """nginx with its workers. port: where it listens."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self._process = process

    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        return sum(map(cpu_s_of, self.pids()))

    def pids(self) -> list[int]:
        """The ids of all its processes."""
        return [each.pid for each in [self._process, *self._process.children()]]


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
        wall = None
        if hasattr(os, "sched_setaffinity"):
            wall = _by_the_clock(proxy, processes, [both[0], mixed], extent)
    one, two = (min(each, key=lambda cost: cost.all_us) for each in (ones, twos))
    yield Figure(
        "two_processes",
        2 * one.all_us / two.all_us,
        note=f"computed from CPU us of an answer, process + nginx: {one} with one process, {two} "
        f"with two, the cheapest of {len(ones)} turns; one create for {_READS_PER_CREATE} reads; "
        f"{2 * one.processes_us / two.all_us:.2f} x of one process with a core without nginx",
    )
    if wall is not None:
        yield wall


def _by_the_clock(
    proxy: _Proxy, processes: list[Server], sent: list[list[str]], extent: Extent
) -> Figure:
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise CannotMeasure("two processes need two cores")
    count = _WALL_ANSWERS * extent.answers
    ones: list[_Rate] = []
    twos: list[_Rate] = []
    for _ in range(_WALL_TURNS):
        for rates, messages_of, own, others in (
            (ones, sent[0], cores[:1], cores[1:]),
            (twos, sent[1], cores, cores),
        ):
            rate = _rate(proxy, processes, messages_of, count, cores=own, generator_cores=others)
            rates.append(rate)
    one, two = max(ones, key=lambda rate: rate.per_s), max(twos, key=lambda rate: rate.per_s)
    return Figure(
        "two_processes_wall",
        two.per_s / one.per_s,
        note=f"measured by the clock: {one.per_s:,.0f} answers a second of one core, "
        f"{two.per_s:,.0f} of two; {two.seen_per_s:,.0f} before the load generator's "
        f"{two.generator_share:.0%} of two cores was subtracted; the quickest of {len(ones)} turns",
    )


class _Rate(NamedTuple):
    """Answers a second: without the time of the load generator, and as they came.
    generator_share: its part of the cores."""

    per_s: float
    seen_per_s: float
    generator_share: float


def _rate(
    proxy: _Proxy,
    processes: list[Server],
    sent: list[str],
    count: int,
    *,
    cores: list[int],
    generator_cores: list[int],
) -> _Rate:
    """The rate if the proxy and the processes have these cores, and the load generator those."""
    for pid in [*proxy.pids(), *(each.pid for each in processes)]:
        os.sched_setaffinity(pid, cores)
    with busy(proxy, sent, count, BUSY_CONNECTIONS * len(cores), polls=False) as load:
        os.sched_setaffinity(load.pid, generator_cores)
        before_s = cpu_s_of(load.pid)
        result = load.run()
        spent_s = cpu_s_of(load.pid) - before_s
    taken_s = result.last_s - result.first_s
    shared = set(cores) & set(generator_cores)
    share = spent_s / taken_s / len(cores) if shared else 0.0
    time.sleep(_TASK_LIFE_S)  # the last tasks end before the next turn
    return _Rate(count / taken_s / (1 - share), count / taken_s, share)


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
    connections = BUSY_CONNECTIONS * len(processes)
    with busy(proxy, sent, count, connections, polls=False) as load:
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
