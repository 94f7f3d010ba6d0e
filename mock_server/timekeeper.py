"""Wakes a world when something comes due, and whoever waits for it. One timer for everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mock_server.core.agenda import Due, Occasion
from mock_server.core.refusals import HeldTooLong, ShuttingDown
from mock_server.core.tasks import Task
from mock_server.core.world import World


class Timekeeper:
    """Lets due things happen on a real clock; a frozen one needs nobody to watch it."""

    def __init__(self, world: World, on_end: Callable[[World, Task], None]) -> None:
        """`on_end` is told of every task that has ended, after its end is in the world."""
        self.world = world
        self._on_end = on_end
        self._held: dict[str, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for_ms = 0

    def catch_up(self) -> None:
        """Let everything due happen, and tell whoever waits for it."""
        for due in self.world.catch_up():
            self._tell(due)

    def watch(self) -> None:
        """Make sure that the next due thing will wake us. Call it when something was noted."""
        next_ms = self.world.agenda.next_ms()
        if next_ms is None or (self._timer is not None and self._timer_for_ms <= next_ms):
            return
        wait_s = self.world.clock.real_wait_s(next_ms)
        if wait_s is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)
        self._timer_for_ms = next_ms

    def end_of(self, task: Task, *, limit_ms: int) -> asyncio.Future[None]:
        """Done when the task ends. Raises HeldTooLong after `limit_ms` of the world's clock, and
        ShuttingDown if the server stops first; the task knows of neither."""
        held = asyncio.get_running_loop().create_future()
        self._held[task.id] = held
        held.add_done_callback(lambda _: self._held.pop(task.id, None))
        patience_ends_ms = self.world.clock.now_ms() + limit_ms
        if task.fate.ends_ms > patience_ends_ms:
            self.world.agenda.note(patience_ends_ms, Occasion.ALARM, task.id)
        self.catch_up()  # a task may take no time at all, and a frozen clock rings no bell
        self.watch()
        return held

    def stop(self) -> None:
        """Let everybody go; nothing will wake this world any more."""
        if self._timer is not None:
            self._timer.cancel()
        for held in tuple(self._held.values()):
            if not held.done():
                held.set_exception(ShuttingDown("the server is stopping"))

    def _ring(self) -> None:
        self._timer = None
        self.catch_up()
        self.watch()

    def _tell(self, due: Due) -> None:
        held = self._held.get(due.subject)
        if due.occasion is Occasion.TASK_ENDS:
            if held is not None and not held.done():
                held.set_result(None)
            self._on_end(self.world, self.world.tasks[due.subject])
        elif due.occasion is Occasion.ALARM and held is not None and not held.done():
            held.set_exception(HeldTooLong("the request was held as long as this server holds one"))
