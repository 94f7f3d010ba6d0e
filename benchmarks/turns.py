"""Compares the CPU time of servers: requests go to them in short turns, in random order.

The speed of a virtual machine, and that of each of its cores, changes within a second. Turns are
shorter, and all servers run on the same core, where the system can pin a process to one; the load
generators run on another.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import psutil

from benchmarks.load_client import busy
from benchmarks.servers import Server

IN_A_TURN = 200
"""The number of requests of a turn. That of a comparison is a multiple of it."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server, the requests of its turns, and the status of every answer."""

    server: Server
    messages: list[str]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Costs:
    """The CPU time of one request to each of two servers, in microseconds, in several rounds."""

    rounds: list[tuple[float, float]]

    @property
    def ratio(self) -> float:
        """What the second server needs, as a multiple of what the first one needs."""
        return median(second / first for first, second in self.rounds)

    @property
    def medians_us(self) -> tuple[float, float]:
        """The median of each server."""
        first, second = zip(*self.rounds, strict=True)
        return median(first), median(second)


def costs_us(
    sides: Sequence[Side],
    count: int,
    *,
    later_s: float = 0.0,
    after_turn: Callable[[Side, float], None] | None = None,
) -> tuple[float, float]:
    """The CPU time of one of `count` requests to each of two servers, in microseconds.

    later_s: how long the server works for a request after its answer; this counts, too.
    after_turn: called with the side and the CPU seconds of its turn; what the server does for it
    counts. Raises CannotMeasure for an answer with another status.
    """
    order = random.Random(0)
    with ExitStack() as stack:
        loads = {
            side.server: stack.enter_context(busy(side.server, side.messages, IN_A_TURN))
            for side in sides
        }
        for server, load in loads.items():
            _pin(server.pid, 0)
            _pin(load.pid, 1)
        before_s = {server: server.cpu_s() for server in loads}
        for _ in range(count // IN_A_TURN):
            for side in order.sample(sides, 2):
                began_s = side.server.cpu_s()
                loads[side.server].run(side.status)
                if after_turn is not None:
                    after_turn(side, side.server.cpu_s() - began_s)
        time.sleep(later_s)
        first, second = (1e6 * (each.cpu_s() - before_s[each]) / count for each in loads)
        return first, second


def _pin(pid: int, place: int) -> None:
    """Run a process on one of the cores, where this is possible."""
    if psutil.LINUX:
        cores = psutil.Process().cpu_affinity()
        psutil.Process(pid).cpu_affinity([cores[place % len(cores)]])
