"""The fake's server with as many tasks as wanted stored from the start.

    python -m benchmarks.filled_server TASKS

Storing a million tasks over HTTP would take minutes, so they are put straight into the world; all
of them have ended when the server says that it is ready. Settings come from the environment.
"""

from __future__ import annotations

import json
import os
import sys

from benchmarks import messages
from mock_server.config.sources import read_settings
from mock_server.core.tasks import Order
from mock_server.core.world import World
from mock_server.server.serve import run
from mock_server.simulation.state import make_fake
from mock_server.simulation.wall_clock import wall_ms

_TASK_LIFE_MS = 2000
"""Longer than a task takes from create to its end, by default."""


class Clock:
    """Real time, and jumps."""

    def __init__(self) -> None:
        self.jumped_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970, and what was jumped."""
        return wall_ms() + self.jumped_ms


def fill(world: World, tasks: int, clock: Clock) -> None:
    """Store tasks, and let them end a thousand at a time."""
    for first in range(0, tasks, 1000):
        for number in range(first, min(first + 1000, tasks)):
            world.submit(_order(number))
        clock.jumped_ms += _TASK_LIFE_MS
        world.catch_up()


def _order(number: int) -> Order:
    """An order of its own: no two requests share their bytes."""
    return Order(
        api="rivya",
        account="rivya",
        key=messages.RIVYA_KEY,
        model="hailuo-pro",
        price_credits=57,
        request=json.dumps(messages.MINIMAL | {"client_request_id": str(number)}).encode(),
        base_url=f"http://127.0.0.1:{number % 50_000}",
    )


def main() -> None:
    """Fill, then serve."""
    clock = Clock()
    settings, _ = read_settings(flags={}, environment=os.environ, file=None)
    fake = make_fake(settings, clock.now_ms)
    fill(fake.world(), int(sys.argv[1]), clock)
    sys.exit(run(fake))


if __name__ == "__main__":
    main()
