from __future__ import annotations

import hmac
from collections.abc import Mapping

import msgspec

from mock_server.core.deliveries import Attempt, Delivery, Event, PendingEvent
from mock_server.core.effects import DeliveryFault
from mock_server.core.inbox import SignatureVerdict
from mock_server.core.tasks import Task
from mock_server.core.world import World
from tests.apis.made_up.settings import LumenSettings


class Notices:
    def __init__(self, settings: LumenSettings) -> None:
        self._secret = settings.secret.encode()

    def has_receiver(self, world: World, task: Task) -> bool:
        del world
        return task.order.callback_url is not None

    def pending_events(self, world: World, task: Task, fault: DeliveryFault) -> list[PendingEvent]:
        del fault
        if task.order.callback_url is None:
            return []
        state = task.state_at(task.planned.ends_ms).value
        event = Event(
            id=world.ids.hex("notice", task.id),
            type="job.ended",
            api="lumen",
            account=task.order.account,
            subject=task.id,
            created_ms=task.planned.ends_ms,
            body=msgspec.json.encode({"job": task.id, "state": state}),
        )
        return [PendingEvent(event, task.order.callback_url, ())]

    def headers(
        self, world: World, delivery: Delivery, attempt: Attempt, body: bytes
    ) -> list[tuple[str, str]]:
        del world, delivery, attempt
        return [("content-type", "application/json"), ("lumen-signature", self._signature(body))]

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict | None:
        del world, path
        if "lumen-signature" not in headers:
            return None
        is_right = hmac.compare_digest(headers["lumen-signature"], self._signature(body))
        return SignatureVerdict(is_right, "signed by Lumen" if is_right else "not Lumen's")

    def _signature(self, body: bytes) -> str:
        return hmac.new(self._secret, body, "sha256").hexdigest()
