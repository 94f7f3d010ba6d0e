"""Runs the fake with tasks that all end at the same time and have one callback each.

    python -m benchmarks.callback_server '[[PORT, TASKS], ...]'

The tasks are in the world when the server is ready: for each port of this machine so many, in this
order. On SIGUSR1 the clock jumps past the end of all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from benchmarks.filled_server import JumpingClock
from benchmarks.orders import video_order
from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.server.make_server import make_server
from mock_server.server.serve import run
from mock_server.simulation.timekeeper import Timekeeper

TASK_LIFE_S = 3600
"""Set as TASKS_PROCESSING_S: no task ends before the signal."""


def _end_all(clock: JumpingClock, timekeeper: Timekeeper) -> None:
    clock.jumped_ms += 2 * TASK_LIFE_S * 1000
    timekeeper.catch_up()
    timekeeper.watch()


def main() -> None:
    """Store the tasks, then serve."""
    clock = JumpingClock()
    settings, _ = read_settings(flags={}, environment=os.environ, file=None, apis=ALL)
    fake = make_server(settings, clock.now_ms)
    for port, tasks in json.loads(sys.argv[1]):
        for _ in range(tasks):
            fake.world().submit(video_order(f"http://127.0.0.1:{port}/taken"))
    timekeeper = fake.worlds["default"].timekeeper

    def on_signal(*_: object) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(_end_all, clock, timekeeper)

    signal.signal(signal.SIGUSR1, on_signal)
    sys.exit(run(fake))


if __name__ == "__main__":
    main()
