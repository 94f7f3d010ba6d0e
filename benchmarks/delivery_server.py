"""The fake's server, which owes ever more deliveries and tells what its log holds of them.

    python -m benchmarks.delivery_server '[PORT, ...]'

On SIGUSR1 a thousand tasks have ended, each with a callback to one of these ports of this machine.
They are handed to the server's outbox as any task that ends, but no world keeps them: memory is not
theirs. The clock is frozen and advances until nothing is due, retries included. Then the server
says what its log of deliveries holds of these thousand, a text `TASK_ID STATUS` for each attempt.
The log keeps ten times as many, so none of them has been forgotten by then.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence

from benchmarks import messages
from mock_server.config.sources import read_settings
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.tasks import Fate, Order, Task
from mock_server.core.world import World
from mock_server.server.serve import run
from mock_server.simulation.state import Fake, make_fake
from mock_server.simulation.wall_clock import wall_ms

AT_ONCE = 1000
"""Deliveries that come due together."""

RETRY_WAITS_S = (60, 600)
"""Set as ACEDATA_CALLBACK_WAITS_S."""


def refusals(number: int) -> int:
    """How often the callback of the n-th task is refused: 1 in 10 once, 1 in 100 every time."""
    if number % 100 == 0:
        return len(RETRY_WAITS_S) + 1
    return 1 if number % 10 == 0 else 0


class Deliveries:
    """A thousand at a time, to one receiver after the other."""

    def __init__(self, fake: Fake, ports: Sequence[int]) -> None:
        self._fake = fake
        self._ports = ports
        self._ended = 0
        self._carrying_out: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Owe the next thousand, soon."""
        loop = asyncio.get_running_loop()
        self._carrying_out = loop.create_task(self._carry_out())

    async def _carry_out(self) -> None:
        (timekeeper,) = self._fake.timekeepers.values()
        for _ in range(AT_ONCE):
            self._ended += 1
            self._fake.outbox.task_ended(timekeeper.world, self._task(timekeeper.world))
        await timekeeper.advance(None)
        print(json.dumps(_newest(timekeeper.world)), flush=True)

    def _task(self, world: World) -> Task:
        now_ms = world.clock.now_ms()
        port = self._ports[self._ended % len(self._ports)]
        url = f"http://127.0.0.1:{port}/{refusals(self._ended)}"
        order = Order(
            api="acedata",
            account="acedata",
            key=messages.ACEDATA_TOKEN,
            model="minimax-t2v",
            price_credits=1,
            request=json.dumps(messages.VIDEO | {"callback_url": url}).encode(),
            base_url="http://127.0.0.1",
            callback_url=url,
        )
        task_id = world.ids.task("acedata", self._ended)
        return Task(task_id, order, now_ms, Fate(now_ms, now_ms, TaskEvent.RENDERED))


def _newest(world: World) -> list[str]:
    """Every attempt at the newest thousand deliveries, as the log has it."""
    return [
        f"{delivery.event.subject} {attempt.status}"
        for delivery in list(world.deliveries)[-AT_ONCE:]
        for attempt in delivery.attempts
    ]


def main() -> None:
    """Serve with nothing in the world."""
    settings, _ = read_settings(flags={}, environment=os.environ, file=None)
    fake = make_fake(settings, wall_ms)
    deliveries = Deliveries(fake, json.loads(sys.argv[1]))

    def told(*_: object) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(deliveries.begin)

    signal.signal(signal.SIGUSR1, told)
    sys.exit(run(fake))


if __name__ == "__main__":
    main()
