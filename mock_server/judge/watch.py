"""Watches a run with a receiver: counts what the client does, and sees when nothing more comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mock_server.control import AsyncWorld

SETTLED_S = 3.0
"""Real seconds without a request or an attempt, after which nothing more is expected."""
_PAUSE_S = 0.1
"""Real seconds in which changes are gathered: they often come several at once."""


async def until_settled(
    world: AsyncWorld,
    count_effects: Callable[[], Awaitable[None]],
    *,
    again: str | None,
    forever: bool,
) -> None:
    """Return when every task has ended and nothing has happened for SETTLED_S.

    count_effects: called after each attempt. again: the state of the deliveries that are made once
    more. forever: never return. Raises ControlError."""
    cursor = None
    sent_again: set[str] = set()
    while True:
        told = await world.changes(cursor, timeout_s=SETTLED_S)
        cursor = told.cursor
        types = {each.type for each in told.changes}
        if "attempt" in types:
            await count_effects()
        if types & {"attempt", "delivery"}:
            for each in await world.deliveries():
                if each.state == again and each.attempts and each.id not in sent_again:
                    sent_again.add(each.id)
                    await world.redeliver(each)
        if types:
            await asyncio.sleep(_PAUSE_S)
        elif not forever and await _is_settled(world):
            return


async def _is_settled(world: AsyncWorld) -> bool:
    deliveries = await world.deliveries()
    if any(each.next_attempt_at is not None for each in deliveries):
        return False
    if any(each.ended_at is None for one in deliveries for each in one.attempts):
        return False
    tasks = await world.tasks()
    return bool(tasks) and all(each.state in {"succeeded", "failed"} for each in tasks)
