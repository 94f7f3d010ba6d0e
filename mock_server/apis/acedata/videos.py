"""Ask for a video, in one of three modes: held open, callback, async."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mock_server.apis.acedata import gate, wire
from mock_server.core.accounts import Key
from mock_server.core.journal import IgnoredField
from mock_server.core.lifecycle import TaskState
from mock_server.core.refusals import PromptForbidden, TaskBroke
from mock_server.core.tasks import Order, Task
from mock_server.edge.call import Call, json_response
from mock_server.edge.created_task import note_task


async def create_video(call: Call) -> Response:
    """POST /hailuo/videos: the id at once in callback and async mode, else the video."""
    key = gate.admit(call)
    body = call.json()
    rules = call.fake.contract.video_rules
    model_id = rules.require(body)
    call.note_ignored(_ignored(call, rules.ignored_in(model_id, body)))
    gate.count(call, key)
    _moderate(call, body)
    task = call.world.submit(_order(call, key, model_id, body), call.task_faults)
    note_task(call, task)
    await call.timekeeper.before_answer(task, call.exchange.id)
    if "callback_url" in body or body.get("async") is True:
        return json_response(wire.accepted(task))
    return await _hold(call, task)


async def _hold(call: Call, task: Task) -> Response:
    """Wait for the end. A caller who hangs up, or waits too long, leaves the task as it is."""
    call.committed()
    world, settings = call.world, call.fake.settings.acedata
    limit_ms = round(settings.hold_limit_s * 1000)
    end = call.timekeeper.end_of(task, call.exchange.id, limit_ms=limit_ms)
    await call.unless_hung_up(end)
    task = world.tasks[task.id]  # it may have been ended by hand meanwhile, in another way
    if world.state_of(task) is TaskState.FAILED:
        raise TaskBroke(wire.BROKE, task.id)
    return json_response(
        wire.outcome(task, world=world, settings=settings, base_url=call.base_url, in_task=False)
    )


def _order(call: Call, key: Key, model_id: str, body: dict[str, Any]) -> Order:
    return Order(
        api="acedata",
        account=key.account,
        key=key.secret,
        model=model_id,
        price_credits=call.fake.contract.catalog.find("acedata", model_id).price_credits,
        request=_kept(call, model_id, body),
        base_url=call.base_url,
        callback_url=body.get("callback_url"),
    )


def _ignored(call: Call, fields: tuple[IgnoredField, ...]) -> tuple[IgnoredField, ...]:
    """The same; the secret of callbacks, which is in no document of today, has a setting."""
    others = tuple(field for field in fields if field.pointer != "/callback_secret")
    if len(others) == len(fields) or call.fake.settings.acedata.sign_callbacks:
        return others
    return (*others, IgnoredField("/callback_secret", "acedata.sign_callbacks is off"))


def _kept(call: Call, model_id: str, body: dict[str, Any]) -> bytes:
    whole_bytes = call.fake.settings.limits.whole_request_bytes
    return call.fake.contract.video_rules.kept(
        body, model_id, whole_bytes=whole_bytes, also=("callback_secret",)
    )


def _moderate(call: Call, body: dict[str, Any]) -> None:
    words = call.fake.settings.acedata.moderated_words
    prompt = body.get("prompt", "").casefold()
    if any(word.casefold() in prompt for word in words):
        raise PromptForbidden("moderation refused this prompt")
