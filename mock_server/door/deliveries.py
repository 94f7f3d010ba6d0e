"""Deliveries of callbacks and webhooks: their attempts, and one more attempt on request."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.deliveries import Attempt, Delivery, OutgoingRequest
from mock_server.core.effects import NO_FAULT
from mock_server.core.lifecycle import OUTCOMES
from mock_server.core.refusals import Conflict, Invalid
from mock_server.core.suggestions import did_you_mean
from mock_server.core.world import World
from mock_server.door.queries import NEWEST, Query
from mock_server.door.tasks import task_of
from mock_server.door.worlds import found, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.redacted import redacted_attempt
from mock_server.edge.timestamps import moment, moment_or_none


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """state: the end of the task; None: as planned. endpoint: the webhook endpoint."""

    state: Literal["succeeded", "failed"] | None = None
    endpoint: str | None = None


SIGNED: Query[Signed] = Query(Signed)


async def list_deliveries(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries: the deliveries, the oldest first.
    It also says how many are no longer kept. `total` counts those that are kept."""
    world, asked = world_of(call), NEWEST.of(call)
    deliveries = world.deliveries
    newest = deliveries.newest(asked.limit or len(deliveries))
    counts = len(deliveries), deliveries.attempted, deliveries.evicted
    listed = (delivery_answer(world, each) for each in newest)
    return json_list(answers.DeliveryList([], *counts), "deliveries", listed)


async def get_delivery(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries/{delivery_id}: one delivery with every attempt."""
    return json_response(delivery_answer(world_of(call), _delivery(call)))


async def redeliver(call: Call) -> Response:
    """POST /_mock/worlds/{world}/deliveries/{delivery_id}/redeliver: make one more attempt
    of a delivery, now."""
    delivery = _delivery(call)
    limit = call.server.settings.deliveries.attempts
    if len(delivery.attempts) >= limit:
        raise Conflict(f"there were {limit} attempts, and no more are made (deliveries.attempts)")
    world_of(call).dispatch.redeliver(delivery)
    return json_response(delivery_answer(world_of(call), delivery), 202)


async def get_signed_request(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries/{delivery_id}/signed_request: the request that an
    attempt would send now, byte for byte. Nothing is sent."""
    return json_response(_next_request(call, _delivery(call)))


async def get_signed_request_of_task(call: Call) -> Response:
    """GET /_mock/worlds/{world}/tasks/{task_id}/signed_request: the request that
    would send the event of a task's end now, without a fault. A task that has not ended is shown as
    if it ended now. `state=failed`: with that end. `endpoint`: for this one, if there are
    several."""
    world, asked, task = world_of(call), SIGNED.of(call), task_of(call)
    outcome = None if asked.state is None else OUTCOMES[asked.state]
    deliveries = call.server.outbox.deliveries_of(world, task, outcome)
    return json_response(_next_request(call, _one_of(deliveries, asked.endpoint)))


def _one_of(deliveries: Sequence[Delivery], endpoint: str | None) -> Delivery:
    """The delivery for this endpoint; None: the only one. Refuses with Conflict and Invalid."""
    by_endpoint = {each.endpoint_id or "": each for each in deliveries}
    if not by_endpoint:
        raise Conflict(
            "this event has no receiver: the create has no callback_url, and its account has no "
            "active webhook endpoint with this type of event"
        )
    if endpoint is None and len(deliveries) > 1:
        raise Conflict(f"several endpoints receive this event, name one: {', '.join(by_endpoint)}")
    if endpoint is not None and endpoint not in by_endpoint:
        near = did_you_mean(endpoint, by_endpoint)
        raise Invalid.at("/endpoint", "enum", f"is no endpoint that receives this event{near}")
    return deliveries[0] if endpoint is None else by_endpoint[endpoint]


def _next_request(call: Call, delivery: Delivery) -> answers.SentRequest:
    return _sent(call.server.outbox.next_request(world_of(call), delivery))


def _delivery(call: Call) -> Delivery:
    delivery = world_of(call).deliveries.get(call.path_value("delivery_id"))
    return found(delivery, "no delivery with that id is known (any more)")


def delivery_answer(world: World, delivery: Delivery) -> answers.Delivery:
    """A delivery with every attempt, without secrets."""
    event, redaction = delivery.event, world.keys.redaction
    return answers.Delivery(
        id=delivery.id,
        state=delivery.state.value,
        url=redaction.text(delivery.url),
        endpoint=delivery.endpoint_id,
        event=answers.answer_of(answers.Event, event),
        fault=None if delivery.fault == NO_FAULT else msgspec.to_builtins(delivery.fault),
        created_at=moment(event.created_ms),
        next_attempt_at=moment_or_none(delivery.next_attempt_ms),
        given_up=delivery.given_up,
        attempts=tuple(_attempt(redacted_attempt(each, redaction)) for each in delivery.attempts),
    )


def _sent(request: OutgoingRequest) -> answers.SentRequest:
    text = request.body.decode(errors="replace")
    return answers.SentRequest(
        method="POST", url=request.url, headers=request.headers, body=text, content=request.body
    )


def _attempt(attempt: Attempt) -> answers.Attempt:
    request = answer = None
    if attempt.outgoing is not None:
        request = _sent(attempt.outgoing)
    if attempt.status is not None:
        body, text = attempt.answer_body, attempt.answer_body.decode(errors="replace")
        answer = answers.ReceiverAnswer(
            status=attempt.status, headers=attempt.answer_headers, body=text, content=body
        )
    return answers.answer_of(
        answers.Attempt,
        attempt,
        started_at=moment(attempt.started_ms),
        ended_at=moment_or_none(attempt.ended_ms),
        wall_at=moment_or_none(attempt.started_wall_ms),
        ended_wall_at=moment_or_none(attempt.ended_wall_ms),
        request=request,
        answer=answer,
    )
