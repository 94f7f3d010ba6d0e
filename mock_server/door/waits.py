"""Requests that wait until something happens in a world."""

import asyncio
from typing import Annotated

from msgspec import Meta
from starlette.responses import Response

from mock_server.core.refusals import Invalid, ShuttingDown
from mock_server.core.request_match import RequestFilter, RequestMatch
from mock_server.core.world import World
from mock_server.door import watches
from mock_server.door.queries import Query
from mock_server.door.worlds import slot_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import problem
from mock_server.simulation.timekeeper import Timekeeper


class WaitQuery(RequestFilter, frozen=True):
    """Waits for a delivery if `delivery` is given, for a task if `state` is, else for a request.

    task: with `state`, the task that reaches it; with `delivery`, the task it is about.
    delivery: an outcome; `attempted` is a first attempt, `ended` is success or failure.
    delivery_id: only this delivery; without `delivery`, until it has been attempted.
    state: `ended` is success or failure.
    after: only requests after the one with this id.
    timeout_s: real seconds.
    """

    state: watches.WantedState | None = None
    delivery: watches.WantedOutcome | None = None
    delivery_id: str | None = None
    after: str | None = None
    timeout_s: Annotated[float, Meta(ge=0, le=60)] = 10.0


QUERY: Query[WaitQuery] = Query(WaitQuery)


async def wait(call: Call) -> Response:
    """GET /_mock/worlds/{world}/wait: wait until something has happened.
    A request, a state of a task or an outcome of a delivery; 408 after `timeout_s`. The 408 says
    what came instead. 409 at once if it can no longer happen: the task has ended in another state,
    or the delivery was given up. 503 if the world is dropped, reset or replaced before, or if the
    server stops. `?task=ID&state=ended`, `?task=ID&delivery=succeeded`,
    `?delivery_id=ID&delivery=ended`, `?method=POST&operation=create`."""
    call.body("body_bytes")
    slot, asked = slot_of(call), QUERY.of(call)
    watch = _watch(slot.world, asked)
    finding = asyncio.ensure_future(_found(watch, slot.timekeeper, slot.world, asked.timeout_s))
    try:
        return json_response(await call.unless_disconnected(finding))
    except TimeoutError:
        if (found := watch.look()) is not None:  # at the last moment
            return json_response(found)
        sentence = f"nothing of the kind within {asked.timeout_s:g} s"
        return problem(call, 408, sentence, members=watch.missed())
    except ShuttingDown as gone:
        return problem(call, 503, str(gone))


async def _found(
    watch: watches.Watch, timekeeper: Timekeeper, world: World, timeout_s: float
) -> watches.Found:
    """What is watched for, once it has happened. Raises TimeoutError if the time runs out, and
    ShuttingDown if the world ends before."""
    async with asyncio.timeout(timeout_s):
        while timekeeper.world is world:
            if (found := watch.look()) is not None:
                return found
            await timekeeper.next_change()
    raise ShuttingDown("this world is gone")


def _watch(world: World, asked: WaitQuery) -> watches.Watch:
    """The watch for a query. Refuses with Invalid a task or delivery that is not known."""
    if asked.delivery is None and asked.delivery_id is None:
        if asked.state is None:
            return watches.RequestWatch(world, RequestMatch.of(asked), asked.after)
        task = world.tasks.get(asked.task or "")
        if task is None:
            raise Invalid.at("/task", "enum", "this world has no task with that id")
        return watches.TaskWatch(world, task, asked.state)
    if asked.state is not None:
        raise Invalid.at("/state", "not", "is for tasks; the outcome of a delivery is 'delivery'")
    wanted = asked.delivery or "attempted"
    if asked.delivery_id is None:
        return watches.DeliveryWatch(world, wanted, asked.task)
    delivery = world.deliveries.get(asked.delivery_id)
    if delivery is None:
        sentence = "no delivery with that id is known (any more)"
        raise Invalid.at("/delivery_id", "enum", sentence)
    if asked.task not in (None, delivery.event.subject):
        sentence = f"is about the task {delivery.event.subject}"
        raise Invalid.at("/delivery_id", "enum", sentence)
    return watches.OneDeliveryWatch(world, delivery, wanted)
