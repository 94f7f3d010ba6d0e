"""The fake's server with tasks that all end at one instant, and then owe a callback each.

    python -m benchmarks.callback_server '[[PORT, TASKS], ...]'

The tasks are in the world when the server says that it is ready: for each port of this machine so
many, in that order. On SIGUSR1 the clock jumps past the end of all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from benchmarks import messages
from benchmarks.filled_server import Clock
from mock_server.config.sources import read_settings
from mock_server.core.tasks import Order
from mock_server.server.serve import run
from mock_server.simulation.state import make_fake
from mock_server.simulation.timekeeper import Timekeeper

TASK_LIFE_S = 3600
"""Set as TASKS_PROCESSING_S: no task ends before the signal."""


def _order(port: int) -> Order:
    url = f"http://127.0.0.1:{port}/taken"
    return Order(
        api="acedata",
        account="acedata",
        key=messages.ACEDATA_TOKEN,
        model="minimax-t2v",
        price_credits=1,
        request=json.dumps(messages.VIDEO | {"callback_url": url}).encode(),
        base_url="http://127.0.0.1",
        callback_url=url,
    )


def _end_all(clock: Clock, timekeeper: Timekeeper) -> None:
    clock.jumped_ms += 2 * TASK_LIFE_S * 1000
    timekeeper.catch_up()
    timekeeper.watch()


def main() -> None:
    """Fill, then serve."""
    clock = Clock()
    settings, _ = read_settings(flags={}, environment=os.environ, file=None)
    fake = make_fake(settings, clock.now_ms)
    for port, tasks in json.loads(sys.argv[1]):
        for _ in range(tasks):
            fake.world().submit(_order(port))
    (timekeeper,) = fake.timekeepers.values()

    def told(*_: object) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(_end_all, clock, timekeeper)

    signal.signal(signal.SIGUSR1, told)
    sys.exit(run(fake))


if __name__ == "__main__":
    main()
