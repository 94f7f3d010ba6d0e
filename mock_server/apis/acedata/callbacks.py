"""Callbacks: written when a task with a `callback_url` ends, and signed if there is a secret."""

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.apis.acedata import response_bodies
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.core.deliveries import Attempt, Delivery, Event, PendingEvent
from mock_server.core.effects import DeliveryFault
from mock_server.core.inbox import SignatureVerdict
from mock_server.core.signing import BadSignature, require_one_of
from mock_server.core.tasks import Task
from mock_server.core.world import World

_SIGNATURE = "x-callback-signature"


class Callbacks:
    """Writes and signs callbacks. The world decides when each attempt is due."""

    def __init__(self, settings: AceDataSettings) -> None:
        self._settings = settings
        self._waits_ms = tuple(round(wait_s * 1000) for wait_s in settings.callback_waits_s)

    def has_receiver(self, world: World, task: Task) -> bool:
        """Whether the task's create had a `callback_url`."""
        return task.order.callback_url is not None

    def pending_events(self, world: World, task: Task, fault: DeliveryFault) -> list[PendingEvent]:
        """The callback of a task; none without a `callback_url`.
        Reads show the task as ended before its callback; a failed callback changes no task."""
        order = task.order
        if order.callback_url is None:
            return []
        outcome = response_bodies.outcome(
            task, world=world, settings=self._settings, base_url=order.base_url, in_task=False
        )
        event = Event(
            id=world.ids.uuid("callback", task.id),
            type="callback",
            api="acedata",
            account=order.account,
            subject=task.id,
            created_ms=task.planned.ends_ms,
            body=msgspec.json.encode(outcome),
            secret=_secret(task),
        )
        return [PendingEvent(event, order.callback_url, self._waits_ms)]

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
        """Whether the signature of a received request is right; None without one."""
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


def callback_signature(secret: str, body: bytes) -> str:
    """Hex HMAC-SHA256 over the bytes of the body as they are sent (docs:D1)."""
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def check_callback(signature: str, secret: str, body: bytes) -> None:
    """Raises BadSignature unless the signature is right."""
    require_one_of({signature}, [callback_signature(secret, body)])


def _secret(task: Task | None) -> str | None:
    """The `callback_secret` of the task's create, if it had one."""
    if task is None or b"callback_secret" not in task.order.request:
        return None
    request: dict[str, Any] = msgspec.json.decode(task.order.request)
    secret = request.get("callback_secret")
    return secret if isinstance(secret, str) else None


def _task_id(body: bytes) -> str:
    try:
        callback = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    task_id = callback.get("task_id") if isinstance(callback, dict) else None
    return task_id if isinstance(task_id, str) else ""
