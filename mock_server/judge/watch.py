"""Watches a run with a receiver: counts what the client does, and sees when nothing more comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mock_server.control import AsyncWorld
from mock_server.control.answers import Delivery

SETTLED_S = 3.0
"""Real seconds without a request or an attempt, after which nothing more is expected."""


class Watch:
    """Waits for what happens in one world."""

    def __init__(
        self, world: AsyncWorld, count_effects: Callable[[], Awaitable[None]], *, again: str | None
    ) -> None:
        """count_effects: called after each attempt. again: the state of the deliveries that are
        made once more."""
        self._world = world
        self._count_effects = count_effects
        self._again = again
        self._sent_again: set[str] = set()

    async def until_settled(self, *, forever: bool) -> None:
        """Return when every task has ended and nothing has happened for SETTLED_S.
        forever: never return. Raises ControlError."""
        cursor = None
        while True:
            told = await self._world.changes(cursor, timeout_s=SETTLED_S)
            cursor = told.cursor
            types = {each.type for each in told.changes}
            if "attempt" in types:
                await self._count_effects()
            if types & {"attempt", "delivery"}:
                await self._send_again(await self._world.deliveries())
            if not types and not forever and await self._is_settled():
                return

    async def _is_settled(self) -> bool:
        deliveries = await self._world.deliveries()
        if any(each.next_attempt_at is not None for each in deliveries):
            return False
        if any(each.ended_at is None for one in deliveries for each in one.attempts):
            return False
        tasks = await self._world.tasks()
        return bool(tasks) and all(each.state in {"succeeded", "failed"} for each in tasks)

    async def _send_again(self, deliveries: list[Delivery]) -> None:
        """Make each delivery of this state once more."""
        for delivery in deliveries:
            is_meant = delivery.state == self._again and bool(delivery.attempts)
            if is_meant and delivery.id not in self._sent_again:
                self._sent_again.add(delivery.id)
                await self._world.redeliver(delivery)
