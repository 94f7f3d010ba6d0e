"""How Ace Data Cloud writes things down."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.config.settings import AceDataSettings
from mock_server.core.ids import Ids
from mock_server.core.lifecycle import TaskState
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.edge.media import result_url

# A published client prints messages through a markup language that swallows what stands in square
# brackets, and crashes on some of it. What callers sent is quoted in messages.
_ROUND = str.maketrans("[]", "()")

BROKE = "the simulated upstream gave up on it"


def error(code: str, message: str, trace_id: str) -> dict[str, Any]:
    """The error body of a direct answer."""
    return {
        "success": False,
        "error": {"code": code, "message": message.translate(_ROUND)},
        "trace_id": trace_id,
    }


def trace_id(ids: Ids, task_id: str) -> str:
    """The trace a task keeps in its answers, its callback and its task object."""
    return ids.uuid("task_trace", task_id)


def accepted(task: Task) -> dict[str, Any]:
    """The answer of callback and async mode: the id, and nothing a client could take for more."""
    return {"task_id": task.id}


def outcome(
    task: Task, *, world: World, settings: AceDataSettings, base_url: str, in_task: bool
) -> dict[str, Any]:
    """What became of a task: the held-open answer, the callback's body, the task's `response`.

    Empty while the task is under way: clients search it for anything that looks like an end.
    in_task: whether it goes into the task object, which shows `first_image_url` as null too.
    """
    state = world.state_of(task)
    ids = world.ids
    if state is TaskState.FAILED:
        return {
            "success": False,
            "task_id": task.id,
            "trace_id": trace_id(ids, task.id),
            "error": {"code": "api_error", "message": BROKE},
        }
    if state is not TaskState.SUCCEEDED:
        return {}
    request = msgspec.json.decode(task.order.request)
    video = {
        "id": ids.base32("video", task.id),
        "model": task.order.model,
        "prompt": request.get("prompt", ""),
        "video_url": result_url(base_url, world.name, task.id),
        "state": "succeeded",
    }
    image_url = request.get("first_image_url")
    if _shows_image(settings, image_url, in_task=in_task):
        video["first_image_url"] = image_url
    return {
        "success": True,
        "task_id": task.id,
        "trace_id": trace_id(ids, task.id),
        "data": [video],
    }


def task_object(
    task: Task, *, world: World, settings: AceDataSettings, base_url: str
) -> dict[str, Any]:
    """The task as the tasks endpoint shows it; the request is the body as it was sent."""
    ids, order = world.ids, task.order
    now_ms = world.clock.now_ms()
    shown: dict[str, Any] = {
        "_id": ids.hex("task_record", task.id),
        "id": task.id,
        "api_id": ids.uuid("api", "hailuo"),
        "application_id": ids.uuid("application", order.account),
        "credential_id": ids.uuid("credential", order.key),
        "user_id": ids.uuid("user", order.account),
        "created_at": task.created_ms / 1000,
        "trace_id": trace_id(ids, task.id),
        "request": msgspec.json.decode(order.request),
        "response": outcome(task, world=world, settings=settings, base_url=base_url, in_task=True),
    }
    if now_ms >= task.fate.taken_up_ms:
        shown["started_at"] = task.fate.taken_up_ms / 1000
    if _shows_end(task.state_at(now_ms), settings):
        shown["finished_at"] = task.fate.ends_ms / 1000
        shown["elapsed"] = (task.fate.ends_ms - task.fate.taken_up_ms) / 1000
    return shown


def _shows_end(state: TaskState, settings: AceDataSettings) -> bool:
    return state is TaskState.SUCCEEDED or (
        state is TaskState.FAILED and settings.failed_task_finished_at
    )


def _shows_image(settings: AceDataSettings, image_url: str | None, *, in_task: bool) -> bool:
    match settings.first_image_url_in_results:
        case "always":
            return True
        case "never":
            return False
        case _:
            return in_task or image_url is not None
