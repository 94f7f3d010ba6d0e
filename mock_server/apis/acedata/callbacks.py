"""Owe whoever gave a `callback_url` the news that their task has ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.apis.acedata import wire
from mock_server.config.settings import AceDataSettings
from mock_server.core.deliveries import Attempt, Delivery, Event, Owed
from mock_server.core.delivery_faults import DeliveryFault
from mock_server.core.inbox import SignatureVerdict
from mock_server.core.signing import BadSignature, callback_signature, check_callback
from mock_server.core.tasks import Task
from mock_server.core.world import World

_SIGNATURE = "x-callback-signature"


class Callbacks:
    """Writes and signs callbacks; when one is tried, and how often, is the world's."""

    def __init__(self, settings: AceDataSettings) -> None:
        self._settings = settings
        self._waits_ms = tuple(round(wait_s * 1000) for wait_s in settings.callback_waits_s)

    def may_be_heard(self, world: World, task: Task) -> bool:
        """Whether its create gave an address."""
        return task.order.callback_url is not None

    def owed(self, world: World, task: Task, fault: DeliveryFault) -> list[Owed]:
        """The task can already be read as ended; a callback that fails does it no harm."""
        order = task.order
        if order.callback_url is None:
            return []
        outcome = wire.outcome(
            task, world=world, settings=self._settings, base_url=order.base_url, in_task=False
        )
        event = Event(
            id=world.ids.uuid("callback", task.id),
            type="callback",
            api="acedata",
            account=order.account,
            subject=task.id,
            created_ms=task.fate.ends_ms,
            body=msgspec.json.encode(outcome),
            secret=_secret(task),
        )
        return [Owed(event, order.callback_url, self._waits_ms)]

    def headers(
        self, world: World, delivery: Delivery, attempt: Attempt, body: bytes
    ) -> list[tuple[str, str]]:
        """The headers of an attempt; it is signed if there is a secret and the setting says so."""
        headers = [("content-type", "application/json")]
        fault = delivery.attempt_fault
        secret = delivery.event.secret
        wanted = self._settings.sign_callbacks or fault.concerns_signature
        if secret is not None and wanted and fault.signed_with != "nothing":
            signing = secret if fault.signed_with == "current" else f"not {secret}"
            headers.append((_SIGNATURE, callback_signature(signing, body)))
        return headers

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict | None:
        """What the signature of a request is worth, wherever it came; None if it has none."""
        signature = headers.get(_SIGNATURE)
        if signature is None:
            return None
        secret = _secret(world.tasks.get(_task_id(body)))
        if secret is None:
            return SignatureVerdict(False, "no task that gave a callback_secret is named")
        try:
            check_callback(signature, secret, body)
        except BadSignature as bad:
            return SignatureVerdict(False, str(bad))
        return SignatureVerdict(True, "signed with the callback_secret of its task")


def _secret(task: Task | None) -> str | None:
    """The secret that came with the request for this task."""
    if task is None or b"callback_secret" not in task.order.request:
        return None
    asked: dict[str, Any] = msgspec.json.decode(task.order.request)
    secret = asked.get("callback_secret")
    return secret if isinstance(secret, str) else None


def _task_id(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    task_id = told.get("task_id") if isinstance(told, dict) else None
    return task_id if isinstance(task_id, str) else ""
