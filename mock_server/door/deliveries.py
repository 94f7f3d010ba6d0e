"""Deliveries: what goes out or went out, attempt by attempt, and sending it again."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from mock_server.core.deliveries import Attempt, Delivery, Posting
from mock_server.core.delivery_faults import SOUND
from mock_server.core.refusals import Conflict, UnknownPath
from mock_server.core.world import World
from mock_server.door.bodies import shown_body
from mock_server.door.queries import NEWEST
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list
from mock_server.edge.redacted import redacted_attempt
from mock_server.edge.timestamps import moment, moment_or_null


async def list_deliveries(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries: oldest first, and how many are no longer known.

    `total` counts those that are.
    """
    world, asked = world_of(call), NEWEST.read(call)
    deliveries = world.deliveries
    newest = deliveries.newest(asked.limit or len(deliveries))
    counts = {
        "total": len(deliveries),
        "attempts": deliveries.attempted,
        "evicted": deliveries.evicted,
    }
    return json_list("deliveries", (shown(world, each) for each in newest), **counts)


async def get_delivery(call: Call) -> Response:
    """GET /_mock/worlds/{world}/deliveries/{delivery_id}: every attempt, request and answer."""
    return json_response(shown(world_of(call), _delivery(call)))


async def redeliver(call: Call) -> Response:
    """POST /_mock/worlds/{world}/deliveries/{delivery_id}/redeliver: try it once more, now."""
    delivery = _delivery(call)
    limit = call.fake.settings.deliveries.attempts
    if len(delivery.attempts) >= limit:
        raise Conflict(f"there were {limit} attempts, and no more are made (deliveries.attempts)")
    world_of(call).redeliver(delivery)
    return json_response(shown(world_of(call), delivery), 202)


def _delivery(call: Call) -> Delivery:
    delivery = world_of(call).deliveries.get(call.path_value("delivery_id"))
    if delivery is None:
        raise UnknownPath("no delivery with that id is known (any more)")
    return delivery


def shown(world: World, delivery: Delivery) -> dict[str, Any]:
    """A delivery with every attempt at it, without any secret."""
    event, redaction = delivery.event, world.keys.redaction
    return {
        "id": delivery.id,
        "state": delivery.state.value,
        "url": redaction.text(delivery.url),
        "endpoint": delivery.endpoint_id,
        "event": {"id": event.id, "api": event.api, "type": event.type, "subject": event.subject},
        "fault": None if delivery.fault == SOUND else msgspec.to_builtins(delivery.fault),
        "created_at": moment(event.created_ms),
        "next_attempt_at": moment_or_null(delivery.next_attempt_ms),
        "given_up": delivery.given_up,
        "attempts": [
            _show_attempt(redacted_attempt(attempt, redaction)) for attempt in delivery.attempts
        ],
    }


def _show_attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "started_at": moment(attempt.started_ms),
        "ended_at": moment_or_null(attempt.ended_ms),
        "request": attempt.posting and _show_request(attempt.posting),
        "answer": None if attempt.status is None else _show_answer(attempt),
        "error": attempt.error,
        "note": attempt.note,
    }


def _show_request(posting: Posting) -> dict[str, Any]:
    head = {"method": "POST", "url": posting.url, "headers": posting.headers}
    return head | shown_body(posting.body)


def _show_answer(attempt: Attempt) -> dict[str, Any]:
    head = {"status": attempt.status, "headers": attempt.answer_headers}
    return head | shown_body(attempt.answer_body)
