"""Runs the fake by its command line, and measures the longest step of its event loop.

    python -m benchmarks.watched_server NOTES_FILE serve --port 0

During one step of the loop no request is answered. Steps are measured in CPU time, so that other
programs do not count. A garbage collection is part of the step in which it happens. SIGUSR1 resets
the measurement. NOTES_FILE has a JSON object: `longest_ms`, the longest step, and `collections`,
the number of full garbage collections. It is written after each step that changes one of them,
because a server that is busy when it is stopped ends without Python's exit functions.
"""

from __future__ import annotations

import asyncio
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

    def __init__(self, file: Path) -> None:
        """file: for the notes."""
        self._file = file
        self.reset()

    def reset(self) -> None:
        """Reset the measurement."""
        self._longest_ns = 0
        self._collections = self._noted_collections = 0

    def _write(self) -> None:
        notes = {"longest_ms": self._longest_ns / 1e6, "collections": self._collections}
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(notes), "utf-8")
        beside.rename(self._file)
        self._noted_collections = self._collections

    def note_collection(self, phase: str, details: dict[str, int]) -> None:
        """Count full collections. For `gc.callbacks`."""
        if phase == "stop" and details["generation"] == _FULL:
            self._collections += 1

    def time_every_step(self) -> None:
        """Measure every step from now on. asyncio has no hook for it, so a method is replaced."""
        run = asyncio.Handle._run  # noqa: SLF001

        def timed_run(handle: asyncio.Handle) -> None:
            began_ns = time.thread_time_ns()
            run(handle)
            step_ns = time.thread_time_ns() - began_ns
            if step_ns > self._longest_ns:
                self._longest_ns = step_ns
                self._write()
            elif self._collections != self._noted_collections:
                self._write()

        asyncio.Handle._run = timed_run  # type: ignore[assignment]  # noqa: SLF001


def main() -> None:
    """Run `mock_server` with the other arguments."""
    watch = Watch(Path(sys.argv.pop(1)))
    gc.callbacks.append(watch.note_collection)
    signal.signal(signal.SIGUSR1, lambda *_: watch.reset())
    watch.time_every_step()
    runpy.run_module("mock_server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
