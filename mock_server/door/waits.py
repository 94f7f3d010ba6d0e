"""Waiting for something to happen in a world, without asking again and again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.core.deliveries import Delivery
from mock_server.core.refusals import Invalid, ShuttingDown
from mock_server.core.request_match import RequestMatch, matching
from mock_server.core.world import World
from mock_server.door import deliveries, tasks
from mock_server.door.queries import Query
from mock_server.door.worlds import home_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import problem
from mock_server.recorded import Record


class WaitQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to wait for: a delivery if `delivery` is said, a task if `state` is, else a request.

    task: with `state`, the task that is to reach it; with `delivery`, the task it tells of.
    delivery: an outcome, `attempted` for any. state: `ended` for either end.
    after: only requests after the one with this id.
    timeout_s: real seconds.
    """

    task: str | None = None
    state: Literal["queued", "processing", "succeeded", "failed", "ended"] | None = None
    delivery: Literal["succeeded", "failed", "attempted"] | None = None
    method: str | None = None
    path: str | None = None
    api: str | None = None
    operation: str | None = None
    status: int | None = None
    account: str | None = None
    after: str | None = None
    timeout_s: Annotated[float, Meta(ge=0, le=60)] = 10.0

    @property
    def match(self) -> RequestMatch:
        """What a request that is waited for is like."""
        named = ("method", "path", "api", "operation", "status", "account", "task")
        return RequestMatch(**{name: getattr(self, name) for name in named})


QUERY: Query[WaitQuery] = Query(WaitQuery)


async def wait(call: Call) -> Response:
    """GET /_mock/worlds/{world}/wait: answers when it has happened, or 408 after `timeout_s`.

    503 if the world ends before: dropped, begun anew, put back, or the server stops.
    `?task=ID&state=ended`, `?task=ID&delivery=succeeded`, `?method=POST&path=/api/v1/*`.
    """
    await call.body(call.fake.settings.limits.body_bytes)
    home, asked = home_of(call), QUERY.read(call)
    if asked.state is not None and home.world.tasks.get(asked.task or "") is None:
        raise Invalid.at("/task", "enum", "this world has no task with that id")
    ends_s = asyncio.get_running_loop().time() + asked.timeout_s
    while (found := _look(home.world, asked)) is None:
        left_s = ends_s - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, left_s)):
                await call.unless_hung_up(home.timekeeper.next_change())
        except TimeoutError:
            return problem(call, 408, f"nothing of the kind within {asked.timeout_s:g} s")
        except ShuttingDown as gone:
            return problem(call, 503, str(gone))
    return json_response(found)


def _look(world: World, asked: WaitQuery) -> dict[str, Any] | None:
    """What is waited for, if it has happened."""
    if asked.delivery is not None:
        for delivery in world.deliveries:
            if asked.task in (None, delivery.event.subject) and _is(delivery, asked.delivery):
                return {"delivery": deliveries.shown(delivery)}
        return None
    if asked.state is not None:
        task = world.tasks.get(asked.task or "")
        if task is None or not _reached(world.state_of(task).value, asked.state):
            return None
        return {"task": tasks.shown(world, task)}
    exchanges = list(world.journal)
    ids = [exchange.id for exchange in exchanges]
    first = ids.index(asked.after) + 1 if asked.after in ids else 0
    for exchange in matching(exchanges[first:], asked.match):
        if exchange.ended_ms is not None:
            return {"request": Record(world).shown(exchange)}
    return None


def _is(delivery: Delivery, outcome: str) -> bool:
    if outcome == "attempted":
        return any(attempt.ended_ms is not None for attempt in delivery.attempts)
    return delivery.state.value == outcome


def _reached(state: str, wanted: str) -> bool:
    return state in {"succeeded", "failed"} if wanted == "ended" else state == wanted
