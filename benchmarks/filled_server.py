"""Runs the fake with many tasks stored from the start.

    python -m benchmarks.filled_server TASKS

A million tasks over HTTP would take minutes, so they are put into the world directly. All of them
have ended when the server is ready. Settings come from the environment.
"""

from __future__ import annotations

import os
import sys

from benchmarks.orders import generation_order
from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.core.world import World
from mock_server.server.make_server import make_server
from mock_server.server.serve import run
from mock_server.simulation.wall_clock import wall_ms

_TASK_LIFE_MS = 2000
"""Longer than a task takes from create to its end, by default."""


class JumpingClock:
    """Real time, with jumps."""

    def __init__(self) -> None:
        self.jumped_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970, plus all jumps."""
        return wall_ms() + self.jumped_ms


def fill(world: World, tasks: int, clock: JumpingClock) -> None:
    """Store tasks, and end them a thousand at a time."""
    for first in range(0, tasks, 1000):
        for number in range(first, min(first + 1000, tasks)):
            world.submit(generation_order(number))
        clock.jumped_ms += _TASK_LIFE_MS
        world.catch_up()


def main() -> None:
    """Store the tasks, then serve."""
    clock = JumpingClock()
    settings, _ = read_settings(flags={}, environment=os.environ, file=None, apis=ALL)
    fake = make_server(settings, clock.now_ms)
    fill(fake.world(), int(sys.argv[1]), clock)
    sys.exit(run(fake))


if __name__ == "__main__":
    main()
