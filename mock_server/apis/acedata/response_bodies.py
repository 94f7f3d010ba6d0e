"""Ace Data Cloud's response bodies."""

from typing import Any

import msgspec

from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.contract.failures import Failure, failures_of
from mock_server.core.ids import Ids
from mock_server.core.lifecycle import FAILED, SUCCEEDED
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.edge.media import result_url

# A published client prints messages as markup: it drops text in square brackets, and crashes on
# some of it. Messages quote what callers sent.
_ROUND = str.maketrans("[]", "()")


def failure_of(task: Task) -> Failure:
    """The code and message of a task that has failed."""
    return failures_of("acedata")[task.planned.reason]


def error(code: str, message: str, trace_id: str) -> dict[str, Any]:
    """The error body of an answer."""
    return {
        "success": False,
        "error": {"code": code, "message": message.translate(_ROUND)},
        "trace_id": trace_id,
    }


def trace_id(ids: Ids, task_id: str) -> str:
    """The trace id of a task, the same in its answers, its callback and its task object."""
    return ids.uuid("task_trace", task_id)


def accepted(task: Task) -> dict[str, Any]:
    """The answer of callback and async mode: only the id, so that it cannot look like a result."""
    return {"task_id": task.id}


def outcome(
    task: Task, *, world: World, settings: AceDataSettings, base_url: str, in_task: bool
) -> dict[str, Any]:
    """The outcome of a task: the held-open answer, the callback's body, the task's `response`.
    Empty while the task is running, because clients search it for a result or an error.
    in_task: whether it is part of the task object, which also has `first_image_url` if it is null.
    """
    state = world.state_of(task)
    ids = world.ids
    if state is FAILED:
        failure = failure_of(task)
        return {
            "success": False,
            "task_id": task.id,
            "trace_id": trace_id(ids, task.id),
            "error": {"code": failure.code, "message": failure.message},
        }
    if state is not SUCCEEDED:
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
    """The task object of the tasks endpoint. `request` is the body of the create, unchanged."""
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
    if now_ms >= task.planned.taken_up_ms:
        shown["started_at"] = task.planned.taken_up_ms / 1000
    state = task.state_at(now_ms)
    if state is SUCCEEDED or (state is FAILED and settings.failed_task_finished_at):
        shown["finished_at"] = task.planned.ends_ms / 1000
        shown["elapsed"] = (task.planned.ends_ms - task.planned.taken_up_ms) / 1000
    return shown


def _shows_image(settings: AceDataSettings, image_url: str | None, *, in_task: bool) -> bool:
    shown = settings.first_image_url_in_results
    return shown == "always" or (shown == "documented" and (in_task or image_url is not None))
