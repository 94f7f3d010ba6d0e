"""How much of the machine other programs used meanwhile: what makes figures in time worse."""

from __future__ import annotations

import resource
import time

import psutil


class Neighbours:
    """Watches the machine's CPUs from its creation on."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._before_s = _busy_s() - _ours_s()

    def share(self) -> float:
        """The part of all CPU time that went to programs we did not start; 0 to 1.

        Processes of ours count once they have ended.
        """
        passed_s = (time.monotonic() - self._began_s) * (psutil.cpu_count() or 1)
        return min(1.0, max(0.0, (_busy_s() - _ours_s() - self._before_s) / passed_s))


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)


def _ours_s() -> float:
    """CPU seconds of this process and of those it started that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
