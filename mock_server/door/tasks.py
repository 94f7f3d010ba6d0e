"""Tasks: what there is of both APIs, and ending one at once."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from starlette.responses import Response

from mock_server.core.lifecycle import OUTCOMES
from mock_server.core.refusals import UnknownPath
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.world import World
from mock_server.door.queries import NEWEST
from mock_server.door.worlds import home_of, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import moment
from mock_server.edge.typed_body import TypedBody


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a task is to end."""

    state: Literal["succeeded", "failed"]


ENDING: TypedBody[Ending] = TypedBody(Ending)


async def list_tasks(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks: of both APIs, oldest first; `total` counts them all."""
    world, asked = world_of(call), NEWEST.read(call)
    tasks = world.tasks.newest(asked.limit or len(world.tasks))
    return json_list("tasks", (shown(world, task) for task in tasks), total=len(world.tasks))


async def get_task(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks/{task_id}: what was asked, and how it will go."""
    return json_response(shown(world_of(call), _task(call)))


async def finish_task(call: Call) -> Response:
    """POST /_mock/worlds/{world}/tasks/{task_id}/finish: `{"state": "failed"}`, now.

    Its credits are settled, whoever holds a request open is answered, callbacks are due.
    """
    home, task = home_of(call), _task(call)
    ended = home.world.finish(task, OUTCOMES[ENDING.read(call.json()).state])
    home.timekeeper.catch_up()
    return json_response(shown(home.world, ended))


def _task(call: Call) -> Task:
    task = world_of(call).tasks.get(call.path_value("task_id"))
    if task is None:
        raise UnknownPath("this world has no task with that id")
    return task


def shown(world: World, task: Task) -> dict[str, Any]:
    """A task, what was asked for, and how it will go. No secret in it is shown."""
    order = task.order
    return {
        "id": task.id,
        "api": order.api,
        "account": order.account,
        "model": order.model,
        "state": world.state_of(task).value,
        "price_credits": order.price_credits,
        "created_at": moment(task.created_ms),
        "taken_up_at": moment(task.fate.taken_up_ms),
        "ends_at": None if task.fate.ends_ms == NEVER_MS else moment(task.fate.ends_ms),
        "request": world.keys.redaction.json(order.request),
    }
