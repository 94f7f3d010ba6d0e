"""The fake's own command line, with a watch on how long its event loop is ever busy with one thing.

    python -m benchmarks.watched_server NOTES_FILE serve --port 0

While the loop carries out one step, nobody gets an answer. Steps are timed in CPU time, so that
other programs on the machine add nothing; garbage collections are part of the step they fall into.
SIGUSR1 starts the watch anew. When the server ends, NOTES_FILE holds a JSON object: `longest_ms`,
the longest step, and `collections`, how many full garbage collections there were.
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
    """The longest step and the full collections since it was last started."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget what was seen."""
        self.longest_ns = 0
        self.collections = 0

    def notes(self) -> str:
        """What was seen, as JSON."""
        notes = {"longest_ms": self.longest_ns / 1e6, "collections": self.collections}
        return json.dumps(notes)

    def note_collection(self, phase: str, details: dict[str, int]) -> None:
        """To be hung into `gc.callbacks`."""
        if phase == "stop" and details["generation"] == _FULL:
            self.collections += 1

    def time_every_step(self) -> None:
        """From now on. The loop has no hook for that, so the method it calls is replaced."""
        run = asyncio.Handle._run  # noqa: SLF001

        def timed_run(handle: asyncio.Handle) -> None:
            began_ns = time.thread_time_ns()
            run(handle)
            self.longest_ns = max(self.longest_ns, time.thread_time_ns() - began_ns)

        asyncio.Handle._run = timed_run  # type: ignore[assignment]  # noqa: SLF001


def main() -> None:
    """Run `mock_server` with the arguments that are left."""
    notes = Path(sys.argv.pop(1))
    watch = Watch()
    gc.callbacks.append(watch.note_collection)
    signal.signal(signal.SIGUSR1, lambda *_: watch.start())
    watch.time_every_step()
    atexit.register(lambda: notes.write_text(watch.notes(), "utf-8"))
    runpy.run_module("mock_server", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
