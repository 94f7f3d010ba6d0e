"""Creates a video in one of three modes: held open, callback, async."""

from typing import Any

from starlette.responses import Response

from mock_server.apis.acedata import gate, response_bodies
from mock_server.apis.acedata.schema import video_rules
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.core.accounts import Key
from mock_server.core.journal import IgnoredField
from mock_server.core.lifecycle import TaskState
from mock_server.core.refusals import PromptForbidden, TaskBroke
from mock_server.core.tasks import Order, Task
from mock_server.edge.call import Call, json_response
from mock_server.edge.created_task import note_task
from mock_server.edge.keys import in_flight_limit


async def create_video(call: Call) -> Response:
    """POST /hailuo/videos: answers the id at once in callback and async mode, else the video."""
    key = gate.admit(call)
    body = call.json()
    rules = call.server.contract.of(video_rules)
    model_id = rules.require(body)
    call.note_ignored(_ignored(call, rules.ignored_in(model_id, body)))
    gate.count(call, key)
    _moderate(call, body)
    in_flight = in_flight_limit(key, call.server.settings.of(AceDataSettings).in_flight)
    order = _order(call, key, model_id, body)
    task = call.world.submit(order, call.task_faults, call.exchange, in_flight=in_flight)
    note_task(call, task)
    await call.timekeeper.deliver_before_answer(task, call.exchange.id)
    if "callback_url" in body or body.get("async") is True:
        return json_response(response_bodies.accepted(task))
    return await _hold(call, task)


async def _hold(call: Call, task: Task) -> Response:
    """The answer once the task has ended. If the caller disconnects, the task continues."""
    call.committed()
    world, settings = call.world, call.server.settings.of(AceDataSettings)
    limit_ms = round(settings.hold_limit_s * 1000)
    end = call.timekeeper.until_end_of(task, call.exchange.id, limit_ms=limit_ms)
    await call.unless_disconnected(end)
    task = world.tasks.get(task.id) or task  # the control door may have ended it otherwise
    if world.state_of(task) is TaskState.FAILED:
        raise TaskBroke(response_bodies.failure_of(task).message, task.id)
    return json_response(
        response_bodies.outcome(
            task, world=world, settings=settings, base_url=call.media_url, in_task=False
        )
    )


def _order(call: Call, key: Key, model_id: str, body: dict[str, Any]) -> Order:
    rules = call.server.contract.of(video_rules)
    whole_bytes = call.server.settings.limits.whole_request_bytes
    return Order(
        api="acedata",
        account=key.account,
        key=key.secret,
        model=model_id,
        price_credits=call.server.contract.catalog.find("acedata", model_id).price_credits,
        request=rules.kept(body, model_id, whole_bytes=whole_bytes, also=("callback_secret",)),
        base_url=call.media_url,
        callback_url=body.get("callback_url"),
    )


def _ignored(call: Call, fields: tuple[IgnoredField, ...]) -> tuple[IgnoredField, ...]:
    """The fields; `callback_secret` is one of them only if `acedata.sign_callbacks` is off."""
    others = tuple(field for field in fields if field.pointer != "/callback_secret")
    if len(others) == len(fields) or call.server.settings.of(AceDataSettings).sign_callbacks:
        return others
    return (*others, IgnoredField("/callback_secret", "acedata.sign_callbacks is off"))


def _moderate(call: Call, body: dict[str, Any]) -> None:
    words = call.server.settings.of(AceDataSettings).moderated_words
    prompt = body.get("prompt", "").casefold()
    if any(word.casefold() in prompt for word in words):
        raise PromptForbidden("moderation refused this prompt")
