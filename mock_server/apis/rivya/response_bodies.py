"""Rivya's response bodies."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from mock_server.contract.failures import failures_of
from mock_server.core.catalog import Model
from mock_server.core.deliveries import Attempt, Delivery, DeliveryState
from mock_server.core.endpoints import Endpoint
from mock_server.core.ids import Ids
from mock_server.core.lifecycle import (
    FAILED,
    SUCCEEDED,
    USUAL_REASON,
    FailureReason,
    TaskState,
)
from mock_server.core.tasks import Task
from mock_server.core.uploads import StoredFile
from mock_server.edge.media import file_url, result_url
from mock_server.edge.timestamps import timestamp, timestamp_or_null

_LONGEST_KEPT_ID = 64


class Generation(Struct, frozen=True, gc=False):
    """All that a generation object depends on. price_credits: it has 0 if nothing was charged."""

    task_id: str
    model: str
    price_credits: int
    created_ms: int
    updated_ms: int
    state: TaskState
    world: str
    base_url: str
    reason: FailureReason = USUAL_REASON


def generation(task: Task, *, world: str, now_ms: int, base_url: str) -> dict[str, Any]:
    """The generation object, the same from create, from get and in events."""
    return generation_object(_shown(task, world, now_ms, base_url))


def generation_json(task: Task, *, world: str, now_ms: int, base_url: str) -> Raw:
    """The same as JSON. It is kept for a while: clients repeat a read until something changes."""
    shown = _shown(task, world, now_ms, base_url)
    if len(task.id) > _LONGEST_KEPT_ID:  # in a world from an edited snapshot
        return Raw(_generation_json.__wrapped__(shown))
    return Raw(_generation_json(shown))


def _shown(task: Task, world: str, now_ms: int, base_url: str) -> Generation:
    order = task.order
    return Generation(
        task.id,
        order.model,
        order.price_credits,
        task.created_ms,
        task.updated_ms(now_ms),
        task.state_at(now_ms),
        world,
        base_url,
        task.planned.reason,
    )


def generation_object(shown: Generation) -> dict[str, Any]:
    """The object, with its times as text and the URL of its video."""
    succeeded = shown.state is SUCCEEDED
    result = error = None
    if succeeded:
        url = result_url(shown.base_url, shown.world, shown.task_id)
        result = {"primary_url": url, "urls": [url]}
    elif shown.state is FAILED:
        failure = failures_of("rivya")[shown.reason]
        error = {"code": failure.code, "message": failure.message}
    return {
        "id": shown.task_id,
        "status": shown.state,
        "model": shown.model,
        "reserved_credits": shown.price_credits,
        "final_credits": shown.price_credits if succeeded else 0,
        "created_at": timestamp(shown.created_ms),
        "updated_at": timestamp(shown.updated_ms),
        "result": result,
        "error": error,
    }


@lru_cache(maxsize=1024)
def _generation_json(shown: Generation) -> bytes:
    return msgspec.json.encode(generation_object(shown))


def file(stored: StoredFile, *, world: str, base_url: str, token: str) -> dict[str, Any]:
    """The file object. token: confirms the duration of audio and video; images have none."""
    timed = stored.kind in {"audio", "video"}
    return {
        "id": stored.id,
        "object": "file",
        "kind": stored.kind,
        "url": file_url(base_url, world, stored.id, stored.name),
        "name": stored.name,
        "mime_type": stored.mime_type,
        "size_bytes": stored.size_bytes,
        "duration_seconds": stored.duration_s if timed else None,
        "duration_token": token if timed else None,
        "created_at": timestamp(stored.created_ms),
    }


def model(entry: Model) -> dict[str, Any]:
    """A model's entry in the public list. Its limits are those of the model's rules."""
    facts: Mapping[str, Any] = entry.facts
    prompt, references, listing = facts["prompt"], facts["references"], facts["listing"]
    return {
        "id": entry.id,
        "display_name": listing["display_name"],
        "category": listing["category"],
        "runtime": listing["runtime"],
        "base_credits": entry.price_credits,
        "billing_type": listing["billing_type"],
        "supported_modes": listing["supported_modes"],
        "max_prompt_length": prompt and prompt["max_chars"],
        "reference_media": references
        and {
            "kinds": references["kinds"],
            "max_files": references["max_files"],
            "max_size_mb": references["max_bytes"] // (1024 * 1024),
            "mime_types": references["mime_types"],
        },
        "params": [
            {name: param[name] for name in ("key", "type", "required", "default", "options")}
            for param in facts["params"]
        ],
        **listing,  # the fields above keep their places
    }


def endpoint(shown: Endpoint, *, with_secret: bool = False) -> dict[str, Any]:
    """A webhook endpoint. The whole secret is shown only when it is new."""
    body: dict[str, Any] = {
        "id": shown.id,
        "object": "webhook_endpoint",
        "name": shown.name,
        "url": shown.url,
        "event_types": shown.event_types,
        "status": shown.status.value,
        "secret_preview": f"{shown.secret[:8]}...{shown.secret[-6:]}",
    }
    if with_secret:
        body["signing_secret"] = shown.secret
    return body | {
        "last_success_at": timestamp_or_null(shown.last_success_ms),
        "last_failure_at": timestamp_or_null(shown.last_failure_ms),
        "failure_count": shown.failure_count,
        "created_at": timestamp(shown.created_ms),
        "updated_at": timestamp(shown.updated_ms),
        "disabled_at": timestamp_or_null(shown.disabled_ms),
        "revoked_at": timestamp_or_null(shown.revoked_ms),
    }


def attempts(delivery: Delivery, ids: Ids) -> list[dict[str, Any]]:
    """The records of a delivery, one per attempt, newest first.
    A delivery without attempts has one record, pending."""
    records = [
        _attempt(delivery, number, attempt, ids)
        for number, attempt in enumerate(delivery.attempts, start=1)
    ]
    if not records:
        first = Attempt(f"{delivery.id}_1", last_tried_ms(delivery))
        records = [_attempt(delivery, 1, first, ids)]
    return records[::-1]


def last_tried_ms(delivery: Delivery) -> int:
    """When the latest attempt began; when the first one is due if there was none."""
    if delivery.attempts:
        return delivery.attempts[-1].started_ms
    return delivery.next_attempt_ms or delivery.event.created_ms


def delivery_id(ids: Ids, attempt_id: str) -> str:
    """Rivya's id of an attempt."""
    return "whdel_" + ids.hex("attempt", attempt_id)


def _attempt(delivery: Delivery, number: int, attempt: Attempt, ids: Ids) -> dict[str, Any]:
    is_last = number >= len(delivery.attempts)
    status = DeliveryState.PENDING
    if attempt.ended_ms is not None:
        status = DeliveryState.SUCCEEDED if attempt.was_accepted else DeliveryState.FAILED
    elif delivery.state is not DeliveryState.PENDING:
        status = delivery.state
    return {
        "id": delivery_id(ids, attempt.id),
        "object": "webhook_delivery",
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event.id,
        "event_type": delivery.event.type,
        "attempt": number,
        "status": status.value,
        "response_status": attempt.status,
        "error": attempt.error or delivery.given_up,
        "next_attempt_at": timestamp_or_null(delivery.next_attempt_ms) if is_last else None,
        "created_at": timestamp(attempt.started_ms),
        "completed_at": timestamp_or_null(attempt.ended_ms),
    }
