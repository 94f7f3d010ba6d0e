"""Runs the fake by its command line, and measures the longest step of its event loop.

    python -m benchmarks.watched_server NOTES_FILE serve --port 0

During one step of the loop no request is answered. Steps are measured in CPU time, so that other
programs do not count. A garbage collection is part of the step in which it happens. SIGUSR1 resets
the measurement. When the server ends, it writes a JSON object to NOTES_FILE: `longest_ms`, the
longest step, and `collections`, the number of full garbage collections.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import runpy
import signal
import sys
import time
from pathlib import Path

_FULL = 2


class Watch:
    """The longest step and the number of full collections since the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the measurement."""
        self.longest_ns = 0
        self.collections = 0

    def notes(self) -> str:
        """The measurement as JSON."""
        notes = {"longest_ms": self.longest_ns / 1e6, "collections": self.collections}
        return json.dumps(notes)

    def note_collection(self, phase: str, details: dict[str, int]) -> None:
        """Count full collections. For `gc.callbacks`."""
        if phase == "stop" and details["generation"] == _FULL:
            self.collections += 1

    def time_every_step(self) -> None:
        """Measure every step from now on. asyncio has no hook for it, so a method is replaced."""
        run = asyncio.Handle._run  # noqa: SLF001

        def timed_run(handle: asyncio.Handle) -> None:
            began_ns = time.thread_time_ns()
            run(handle)
            self.longest_ns = max(self.longest_ns, time.thread_time_ns() - began_ns)

        asyncio.Handle._run = timed_run  # type: ignore[assignment]  # noqa: SLF001


def main() -> None:
    """Run `mock_server` with the other arguments."""
    notes = Path(sys.argv.pop(1))
    watch = Watch()
    gc.callbacks.append(watch.note_collection)
    signal.signal(signal.SIGUSR1, lambda *_: watch.reset())
    watch.time_every_step()
    atexit.register(lambda: notes.write_text(watch.notes(), "utf-8"))
    runpy.run_module("mock_server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
