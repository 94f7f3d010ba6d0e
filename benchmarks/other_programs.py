"""Measures the CPU time that other programs use during a run, which makes other figures worse."""

from __future__ import annotations

import resource
import time

import psutil


class OtherPrograms:
    """Watches the machine's CPUs from its creation on."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._before_s = _machine_cpu_s() - _own_cpu_s()

    def share(self) -> float:
        """The part of all CPU time, 0 to 1, that programs used which the run did not start.

        Processes of the run count once they have ended.
        """
        passed_s = (time.monotonic() - self._began_s) * (psutil.cpu_count() or 1)
        used_s = _machine_cpu_s() - _own_cpu_s() - self._before_s
        return min(1.0, max(0.0, used_s / passed_s))


def _machine_cpu_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def _own_cpu_s() -> float:
    """CPU seconds of this process, and of the processes it started that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
