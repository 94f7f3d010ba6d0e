"""Events: written when a generation ends, signed anew for each attempt at delivering them."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.core.deliveries import Attempt, Delivery, Event
from mock_server.core.endpoints import Endpoint
from mock_server.core.lifecycle import TaskState
from mock_server.core.signing import standard_signature, timestamped_signature
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.edge.moments import moment
from mock_server.media import result_url
from mock_server.rivya import wire
from mock_server.settings import RivyaSettings

API_VERSION = "2026-05-11"
_HEADERS = (("content-type", "application/json"), ("user-agent", "Rivya-Webhooks/fake"))


class Events:
    """Owes every endpoint that wants it the news of a generation's end."""

    def __init__(self, settings: RivyaSettings) -> None:
        self._settings = settings
        self._waits_ms = tuple(round(wait_s * 1000) for wait_s in settings.webhook_waits_s)

    def task_ended(self, world: World, task: Task) -> None:
        """One event, whoever wants it; the generation can already be read as it says."""
        event_type = f"generation.{world.state_of(task).value}"
        endpoints = world.endpoints.subscribed(task.order.account, event_type)
        if not endpoints:
            return
        event = _event(world, task, event_type)
        for endpoint in endpoints:
            world.owe(event, endpoint.url, self._waits_ms, endpoint.id)

    def test(self, world: World, endpoint: Endpoint, base_url: str) -> Delivery:
        """Owe one endpoint a made-up event, marked as a test; no task, no credits are touched."""
        number = world.deliveries.made + 1
        generation = _made_up_generation(world, number, base_url)
        now_ms = world.clock.now_ms()
        event = _written(
            world, endpoint.account, "generation.succeeded", now_ms, generation, is_test=True
        )
        return world.owe(event, endpoint.url, (), endpoint.id)

    def signed_headers(
        self, world: World, delivery: Delivery, attempt: Attempt
    ) -> list[tuple[str, str]]:
        """What an attempt carries beside the event's own headers. Each has its own time."""
        endpoint = world.endpoints.get(delivery.endpoint_id or "")
        if endpoint is None:
            return []
        event, at_s = delivery.event, attempt.started_ms // 1000
        if self._settings.webhook_signature == "standard":
            signature = standard_signature(endpoint.secret, event.id, event.body, at_s)
            signed = [
                ("webhook-id", event.id),
                ("webhook-timestamp", str(at_s)),
                ("webhook-signature", signature),
            ]
        else:
            signature = timestamped_signature(endpoint.secret, event.body, at_s)
            signed = [(self._settings.signature_header.lower(), signature)]
        return [
            *signed,
            ("rivya-event-id", event.id),
            ("rivya-event-type", event.type),
            ("rivya-delivery-id", wire.delivery_id(world.ids, attempt.id)),
        ]


def _event(world: World, task: Task, event_type: str) -> Event:
    generation = wire.generation(
        task, world=world.name, now_ms=task.fate.ends_ms, base_url=task.order.base_url
    )
    return _written(world, task.order.account, event_type, task.fate.ends_ms, generation)


def _written(
    world: World,
    account: str,
    event_type: str,
    created_ms: int,
    generation: dict[str, Any],
    *,
    is_test: bool = False,
) -> Event:
    event_id = "evt_" + world.ids.hex("event", generation["id"])
    body = {
        "id": event_id,
        "type": event_type,
        "api_version": API_VERSION,
        "created_at": moment(created_ms),
        "data": generation,
    }
    return Event(
        id=event_id,
        type=event_type,
        account=account,
        subject=generation["id"],
        created_ms=created_ms,
        body=msgspec.json.encode(body | ({"test": True} if is_test else {})),
        headers=_HEADERS,
    )


def _made_up_generation(world: World, number: int, base_url: str) -> dict[str, Any]:
    """A generation that looks like any other and is nobody's."""
    task_id = "task_" + world.ids.hex("test task", number)
    now = moment(world.clock.now_ms())
    url = result_url(base_url, world.name, task_id)
    return {
        "id": task_id,
        "status": TaskState.SUCCEEDED.value,
        "model": "hailuo-pro",
        "reserved_credits": 0,
        "final_credits": 0,
        "created_at": now,
        "updated_at": now,
        "result": {"primary_url": url, "urls": [url]},
        "error": None,
    }
