"""Runs the fake and sends deliveries, a thousand for each SIGUSR1.

    python -m benchmarks.delivery_server '[PORT, ...]'

On SIGUSR1 a thousand tasks end, each with a callback to one of these ports of this machine. The
outbox of the server gets them like any task that ends, but no world keeps them, so that they use no
memory. The clock is frozen, and advances until nothing is due, retries included. Then the server
prints the attempts of these thousand deliveries in its log, a text `TASK_ID STATUS` for each. The
log keeps ten times as many, so it has forgotten none of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence

from benchmarks.orders import video_order
from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.tasks import PlannedOutcome, Task
from mock_server.core.world import World
from mock_server.server.make_server import make_server
from mock_server.server.serve import run
from mock_server.simulation.state import ServerState
from mock_server.simulation.wall_clock import wall_ms

AT_ONCE = 1000
"""Deliveries that are due at the same time."""

RETRY_WAITS_S = (60, 600)
"""Set as ACEDATA_CALLBACK_WAITS_S."""


def refusals(number: int) -> int:
    """How often a task's callback is refused: every tenth once, every hundredth every time."""
    if number % 100 == 0:
        return len(RETRY_WAITS_S) + 1
    return 1 if number % 10 == 0 else 0


class Deliveries:
    """Sends a thousand deliveries at a time, to the receivers in turn."""

    def __init__(self, fake: ServerState, ports: Sequence[int]) -> None:
        self._fake = fake
        self._ports = ports
        self._ended = 0
        self._sending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to send the next thousand."""
        loop = asyncio.get_running_loop()
        self._sending = loop.create_task(self._send())

    async def _send(self) -> None:
        timekeeper = self._fake.worlds["default"].timekeeper
        for _ in range(AT_ONCE):
            self._ended += 1
            self._fake.outbox.task_ended(timekeeper.world, self._task(timekeeper.world))
        await timekeeper.advance(None)
        print(json.dumps(_newest(timekeeper.world)), flush=True)

    def _task(self, world: World) -> Task:
        now_ms = world.clock.now_ms()
        port = self._ports[self._ended % len(self._ports)]
        order = video_order(f"http://127.0.0.1:{port}/{refusals(self._ended)}")
        task_id = world.ids.task("acedata", self._ended)
        return Task(task_id, order, now_ms, PlannedOutcome(now_ms, now_ms, TaskEvent.RENDERED))


def _newest(world: World) -> list[str]:
    """Every attempt at the newest thousand deliveries in the log."""
    return [
        f"{delivery.event.subject} {attempt.status}"
        for delivery in list(world.deliveries)[-AT_ONCE:]
        for attempt in delivery.attempts
    ]


def main() -> None:
    """Serve an empty world."""
    settings, _ = read_settings(flags={}, environment=os.environ, file=None, apis=ALL)
    fake = make_server(settings, wall_ms)
    deliveries = Deliveries(fake, json.loads(sys.argv[1]))

    def on_signal(*_: object) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(deliveries.start)

    signal.signal(signal.SIGUSR1, on_signal)
    sys.exit(run(fake))


if __name__ == "__main__":
    main()
