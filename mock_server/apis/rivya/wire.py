"""How Rivya writes things down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.core.catalog import Model
from mock_server.core.deliveries import Attempt, Delivery, DeliveryState
from mock_server.core.endpoints import Endpoint
from mock_server.core.ids import Ids
from mock_server.core.lifecycle import TaskState
from mock_server.core.tasks import Task
from mock_server.core.uploads import StoredFile
from mock_server.edge.media import file_url, result_url
from mock_server.edge.timestamps import moment, moment_or_null


def generation(task: Task, *, world: str, now_ms: int, base_url: str) -> dict[str, Any]:
    """The generation object: the same from create, from get and in events."""
    state = task.state_at(now_ms)
    succeeded = state is TaskState.SUCCEEDED
    result = error = None
    if succeeded:
        url = result_url(base_url, world, task.id)
        result = {"primary_url": url, "urls": [url]}
    elif state is TaskState.FAILED:
        error = {"code": "generation_failed", "message": "the simulated upstream gave up on it"}
    return {
        "id": task.id,
        "status": state.value,
        "model": task.order.model,
        "reserved_credits": task.order.price_credits,
        "final_credits": task.order.price_credits if succeeded else 0,
        "created_at": moment(task.created_ms),
        "updated_at": moment(task.updated_ms(now_ms)),
        "result": result,
        "error": error,
    }


def file(stored: StoredFile, *, world: str, base_url: str, token: str) -> dict[str, Any]:
    """The file object. `token` vouches for the length of timed media; images have none."""
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
        "created_at": moment(stored.created_ms),
    }


def model(entry: Model) -> dict[str, Any]:
    """A model's entry in the public list; what follows from its rules is derived from them."""
    facts: Mapping[str, Any] = entry.facts
    prompt, references = facts["prompt"], facts["references"]
    listing: Mapping[str, Any] = facts["listing"]
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
        "api_status": listing["api_status"],
        "api_input_status": listing["api_input_status"],
        "supported_api_inputs": listing["supported_api_inputs"],
        "requires_files_api": listing["requires_files_api"],
        "requires_upload_for_modes": listing["requires_upload_for_modes"],
        "url_input_supported": listing["url_input_supported"],
        "file_kinds": listing["file_kinds"],
        "chat_capabilities": listing["chat_capabilities"],
        "notices": listing["notices"],
    }


def endpoint(shown: Endpoint, *, with_secret: bool = False) -> dict[str, Any]:
    """A webhook endpoint. The secret itself is shown when it is made, and never again."""
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
        "last_success_at": moment_or_null(shown.last_success_ms),
        "last_failure_at": moment_or_null(shown.last_failure_ms),
        "failure_count": shown.failure_count,
        "created_at": moment(shown.created_ms),
        "updated_at": moment(shown.updated_ms),
        "disabled_at": moment_or_null(shown.disabled_ms),
        "revoked_at": moment_or_null(shown.revoked_ms),
    }


def attempts(delivery: Delivery, ids: Ids) -> list[dict[str, Any]]:
    """A delivery as Rivya shows it, a record per attempt, newest first.

    One that is due and was never begun is there as well, pending.
    """
    records = [
        _attempt(delivery, number, attempt, ids)
        for number, attempt in enumerate(delivery.attempts, start=1)
    ]
    if not records:
        first = Attempt(f"{delivery.id}_1", last_tried_ms(delivery))
        records = [_attempt(delivery, 1, first, ids)]
    return records[::-1]


def last_tried_ms(delivery: Delivery) -> int:
    """When its latest attempt began; of one that was never tried, when that is due."""
    if delivery.attempts:
        return delivery.attempts[-1].started_ms
    return delivery.next_attempt_ms or delivery.event.created_ms


def delivery_id(ids: Ids, attempt_id: str) -> str:
    """What Rivya calls an attempt."""
    return "whdel_" + ids.hex("attempt", attempt_id)


def _attempt(delivery: Delivery, number: int, attempt: Attempt, ids: Ids) -> dict[str, Any]:
    is_last = number >= len(delivery.attempts)
    status = DeliveryState.PENDING
    if attempt.ended_ms is not None:
        status = DeliveryState.SUCCEEDED if attempt.was_taken else DeliveryState.FAILED
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
        "next_attempt_at": moment_or_null(delivery.next_attempt_ms) if is_last else None,
        "created_at": moment(attempt.started_ms),
        "completed_at": moment_or_null(attempt.ended_ms),
    }
