"""Owe whoever gave a `callback_url` the news that their task has ended."""

from __future__ import annotations

from typing import Any

import msgspec

from mock_server.acedata import wire
from mock_server.core.deliveries import Event
from mock_server.core.signing import callback_signature
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.settings import AceDataSettings


class Callbacks:
    """Writes the callback's body and headers; when it is tried, and how often, is the world's."""

    def __init__(self, settings: AceDataSettings) -> None:
        self._settings = settings
        self._waits_ms = tuple(round(wait_s * 1000) for wait_s in settings.callback_waits_s)

    def task_ended(self, world: World, task: Task) -> None:
        """The task can already be read as ended; a callback that fails does it no harm."""
        order = task.order
        if order.callback_url is None:
            return
        outcome = wire.outcome(
            task, world=world, settings=self._settings, base_url=order.base_url, in_task=False
        )
        body = msgspec.json.encode(outcome)
        event = Event(
            id=world.ids.uuid("callback", task.id),
            type="callback",
            account=order.account,
            subject=task.id,
            created_ms=task.fate.ends_ms,
            body=body,
            headers=self._headers(order.request, body),
        )
        world.owe(event, order.callback_url, self._waits_ms)

    def _headers(self, request: bytes, body: bytes) -> tuple[tuple[str, str], ...]:
        headers = [("content-type", "application/json")]
        asked: dict[str, Any] = msgspec.json.decode(request)
        secret = asked.get("callback_secret")
        if self._settings.sign_callbacks and isinstance(secret, str):
            headers.append(("x-callback-signature", callback_signature(secret, body)))
        return tuple(headers)
