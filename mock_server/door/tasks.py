"""Tasks of all APIs: listing them, and ending one at once."""

from typing import Literal

import msgspec
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.clock import LAST_MS
from mock_server.core.lifecycle import OUTCOMES, FailureReason, TaskState
from mock_server.core.refusals import Invalid
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.world import World
from mock_server.door.queries import NEWEST
from mock_server.door.worlds import found, slot_of, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.timestamps import Moment, moment, moment_or_none
from mock_server.edge.typed_body import TypedBody


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state in which a task ends. reason: why it fails."""

    state: Literal["succeeded", "failed"]
    reason: FailureReason | None = None


ENDING: TypedBody[Ending] = TypedBody(Ending)


async def list_tasks(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks: the tasks of all APIs, the oldest first.
    `total` counts all."""
    world, asked = world_of(call), NEWEST.of(call)
    tasks = world.tasks.newest(asked.limit or len(world.tasks))
    total = len(world.tasks)
    return json_list(answers.TaskList([], total), "tasks", (task_answer(world, t) for t in tasks))


async def get_task(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks/{task_id}: one task, its request and its times."""
    return json_response(task_answer(world_of(call), task_of(call)))


async def finish_task(call: Call) -> Response:
    """POST /_mock/worlds/{world}/tasks/{task_id}/finish: end a task now.
    `{"state": "succeeded"}` or `{"state": "failed"}`. Its credits are settled, held requests are
    answered, and callbacks are due. `"reason": "moderation"` beside `failed` is why it fails."""
    slot, task = slot_of(call), task_of(call)
    ending = ENDING.read(call.json())
    if ending.reason is not None and ending.state != "failed":
        raise Invalid.at("/reason", "value", 'is for a task that fails, with "state": "failed"')
    ended = slot.world.finish(task, OUTCOMES[ending.state], ending.reason)
    slot.timekeeper.catch_up()
    return json_response(task_answer(slot.world, ended))


def task_of(call: Call) -> Task:
    """The task in the path. Refuses with UnknownPath if there is none."""
    task = world_of(call).tasks.get(call.path_value("task_id"))
    return found(task, "this world has no task with that id")


def task_answer(world: World, task: Task) -> answers.Task:
    """A task with its request, without secrets."""
    order, ends_ms, state = task.order, task.planned.ends_ms, world.state_of(task)
    lifetimes = world.expiry.lifetimes_of(order.api)
    return answers.answer_of(
        answers.Task,
        order,
        id=task.id,
        state=state.value,
        created_at=moment(task.created_ms),
        taken_up_at=moment(task.planned.taken_up_ms),
        ends_at=moment_or_none(None if ends_ms == NEVER_MS else ends_ms),
        expires_at=_after(ends_ms, lifetimes.task_ms),
        media_expires_at=_after(ends_ms, lifetimes.media_ms),
        request=world.keys.redaction.json(order.request),
        reason=task.planned.reason if state is TaskState.FAILED else None,
    )


def _after(ends_ms: int, lifetime_ms: int) -> Moment | None:
    """When a lifetime is over; None: never."""
    over_ms = ends_ms + lifetime_ms
    return moment(over_ms) if lifetime_ms and over_ms <= LAST_MS else None
