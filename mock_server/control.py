"""The door for tests and people, under `/_mock/`: what runs, and what it has sent out."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mock_server import __version__
from mock_server.core.agenda import Due
from mock_server.core.deliveries import Attempt, Delivery, Event
from mock_server.core.refusals import MethodNotAllowed, Refusal, UnknownPath
from mock_server.core.world import World
from mock_server.edge.call import Call, json_response
from mock_server.edge.moments import moment
from mock_server.edge.nearness import near
from mock_server.edge.violations import BodyRules


class ProblemVoice:
    """Says no in `application/problem+json` (RFC 9457), where no vendor's words apply."""

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""
        headers, status = {}, 404 if isinstance(refusal, UnknownPath) else 400
        if isinstance(refusal, MethodNotAllowed):
            headers, status = {"Allow": ", ".join(refusal.allowed)}, 405
        return _problem(call, status, str(refusal), headers)

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""
        return _problem(call, 500, "the server broke; its log says how", {})


async def health(call: Call) -> Response:
    """GET /_mock/health: the process is alive."""
    return json_response({"status": "alive"})


async def ready(call: Call) -> Response:
    """GET /_mock/ready: it serves; whoever can read this can send requests."""
    return json_response({"status": "ready"})


async def version(call: Call) -> Response:
    """GET /_mock/version: what runs, and the seed that makes it repeatable."""
    return json_response({"version": __version__, "seed": call.world.seed})


async def openapi_document(call: Call) -> Response:
    """GET /_mock/openapi.json: the contract of both APIs in one document."""
    return json_response(call.fake.contract.openapi)


async def list_deliveries(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries: oldest first, and how many are no longer known."""
    deliveries = _world(call).deliveries
    shown = [_show(delivery) for delivery in deliveries]
    return json_response({"deliveries": shown, "evicted": deliveries.evicted})


async def get_delivery(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries/{delivery_id}: every attempt, request and answer."""
    return json_response(_show(_delivery(call)))


async def redeliver(call: Call) -> Response:
    """POST /_mock/worlds/{world}/deliveries/{delivery_id}/redeliver: try it once more, now."""
    delivery = _delivery(call)
    _world(call).redeliver(delivery)
    return json_response(_show(delivery), 202)


async def get_clock(call: Call) -> Response:
    """GET /_mock/worlds/{world}/clock: what time it is there."""
    clock = _world(call).clock
    mode = "frozen" if clock.frozen else "real"
    return json_response({"mode": mode, "now": moment(clock.now_ms())})


async def advance_clock(call: Call) -> Response:
    """POST /_mock/worlds/{world}/clock/advance: `{"seconds": 60}` or `{"until": "idle"}`.

    Answers when everything that came due has happened, attempts at deliveries with their answers
    included, and lists it in order.
    """
    world = _world(call)
    _, body = await call.json()
    _ADVANCE.require(body)
    by_ms = None if "until" in body else round(body["seconds"] * 1000)
    happened = await call.timekeeper.advance(by_ms)
    effects = [_effect(world, each) for each in happened]
    return json_response({"now": moment(world.clock.now_ms()), "effects": effects})


_ADVANCE = BodyRules(
    {
        "type": "object",
        "properties": {
            "seconds": {"type": "number", "minimum": 0, "maximum": 10**9},
            "until": {"enum": ["idle"]},
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
)


def _effect(world: World, happened: Due | Attempt) -> dict[str, Any]:
    if isinstance(happened, Attempt):
        outcome = happened.error or f"answered {happened.status}"
        at_ms, what, subject = happened.started_ms, "attempt", happened.id
    else:
        at_ms, what, subject = happened.at_ms, happened.occasion.value, happened.subject
        task = world.tasks.get(subject)
        outcome = task.state_at(at_ms).value if task is not None else "due"
    return {"at": moment(at_ms), "what": what, "subject": subject, "outcome": outcome}


def _world(call: Call) -> World:
    name = call.path_value("world")
    if name != call.world.name:
        raise UnknownPath(f"there is no world of that name{near(name, [call.world.name])}")
    return call.world


def _delivery(call: Call) -> Delivery:
    delivery = _world(call).deliveries.get(call.path_value("delivery_id"))
    if delivery is None:
        raise UnknownPath("no delivery with that id is known (any more)")
    return delivery


def _show(delivery: Delivery) -> dict[str, Any]:
    event = delivery.event
    return {
        "id": delivery.id,
        "state": delivery.state.value,
        "url": delivery.url,
        "event": {"id": event.id, "type": event.type, "subject": event.subject},
        "created_ms": event.created_ms,
        "next_attempt_ms": delivery.next_attempt_ms,
        "attempts": [_show_attempt(attempt, event) for attempt in delivery.attempts],
    }


def _show_attempt(attempt: Attempt, event: Event) -> dict[str, Any]:
    answered = attempt.status is not None
    return {
        "id": attempt.id,
        "started_ms": attempt.started_ms,
        "ended_ms": attempt.ended_ms,
        "request": {"headers": attempt.request_headers, "body": _text(event.body)},
        "answer": {
            "status": attempt.status,
            "headers": attempt.answer_headers,
            "body": _text(attempt.answer_body),
        }
        if answered
        else None,
        "error": attempt.error,
    }


def _text(body: bytes) -> str:
    return body.decode(errors="replace")


def _problem(call: Call, status: int, sentence: str, headers: dict[str, str]) -> Response:
    body = {"title": sentence, "status": status, "instance": call.exchange.path}
    response = json_response(body, status, headers)
    response.headers["content-type"] = "application/problem+json"
    return response
