"""Waiting for something to happen in a world, without asking again and again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.core.faults import Api, Operation
from mock_server.core.refusals import Invalid, ShuttingDown
from mock_server.core.request_match import RequestMatch
from mock_server.core.world import World
from mock_server.door.queries import Query
from mock_server.door.watches import (
    DeliveryWatch,
    OneDeliveryWatch,
    RequestWatch,
    TaskWatch,
    WantedOutcome,
    WantedState,
    Watch,
)
from mock_server.door.worlds import home_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import problem
from mock_server.simulation.timekeeper import Timekeeper


class WaitQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to wait for: a delivery if `delivery` is said, a task if `state` is, else a request.

    task: with `state`, the task that is to reach it; with `delivery`, the task it tells of.
    delivery: an outcome, `attempted` for any, `ended` once nobody tries it any more.
    delivery_id: which delivery; without `delivery`, until it has been attempted.
    state: `ended` for either end.
    after: only requests after the one with this id.
    timeout_s: real seconds.
    """

    task: str | None = None
    state: WantedState | None = None
    delivery: WantedOutcome | None = None
    delivery_id: str | None = None
    method: str | None = None
    path: str | None = None
    api: Api | None = None
    operation: Operation | None = None
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

    The 408 says what came instead. 409 at once if it cannot happen any more: the task has ended in
    another way, the delivery was given up. 503 if the world ends before: dropped, begun anew, put
    back, or the server stops. `?task=ID&state=ended`, `?task=ID&delivery=succeeded`,
    `?delivery_id=ID&delivery=ended`, `?method=POST&path=/api/v1/*`.
    """
    call.body("body_bytes")
    home, asked = home_of(call), QUERY.read(call)
    watch = _watch(home.world, asked)
    finding = asyncio.ensure_future(_found(watch, home.timekeeper, home.world, asked.timeout_s))
    try:
        return json_response(await call.unless_hung_up(finding))
    except TimeoutError:
        if (found := watch.look()) is not None:  # at the very last moment
            return json_response(found)
        sentence = f"nothing of the kind within {asked.timeout_s:g} s"
        return problem(call, 408, sentence, members=watch.missed())
    except ShuttingDown as gone:
        return problem(call, 503, str(gone))


async def _found(
    watch: Watch, timekeeper: Timekeeper, world: World, timeout_s: float
) -> dict[str, Any]:
    """What is watched for, once it has happened. Raises TimeoutError if it has not in time, and
    ShuttingDown if the world ends before."""
    async with asyncio.timeout(timeout_s):
        while timekeeper.world is world:
            if (found := watch.look()) is not None:
                return found
            await timekeeper.next_change()
    raise ShuttingDown("this world is gone")


def _watch(world: World, asked: WaitQuery) -> Watch:
    """Refuses with Invalid what this world does not have."""
    if asked.delivery is None and asked.delivery_id is None:
        if asked.state is None:
            return RequestWatch(world, asked.match, asked.after)
        task = world.tasks.get(asked.task or "")
        if task is None:
            raise Invalid.at("/task", "enum", "this world has no task with that id")
        return TaskWatch(world, task, asked.state)
    if asked.state is not None:
        raise Invalid.at("/state", "not", "is of tasks; what becomes of a delivery is 'delivery'")
    wanted = asked.delivery or "attempted"
    if asked.delivery_id is None:
        return DeliveryWatch(world, wanted, asked.task)
    delivery = world.deliveries.get(asked.delivery_id)
    if delivery is None:
        sentence = "no delivery with that id is known (any more)"
        raise Invalid.at("/delivery_id", "enum", sentence)
    if asked.task not in (None, delivery.event.subject):
        sentence = f"tells of the task {delivery.event.subject}"
        raise Invalid.at("/delivery_id", "enum", sentence)
    return OneDeliveryWatch(world, delivery, wanted)
