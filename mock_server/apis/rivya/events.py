"""Events: written when a generation ends, and signed for each delivery attempt."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from mock_server.apis.rivya import response_bodies
from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.core.deliveries import Attempt, Delivery, Event, PendingEvent
from mock_server.core.effects import DeliveryFault
from mock_server.core.endpoints import Endpoint, new_secret
from mock_server.core.inbox import SignatureVerdict
from mock_server.core.lifecycle import TaskState
from mock_server.core.signing import (
    TOLERANCE_S,
    BadSignature,
    check_standard,
    is_time,
    require_one_of,
    require_recent,
    require_secret,
    standard_signature,
)
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.edge.timestamps import timestamp

API_VERSION = "2026-05-11"


class Events:
    """Writes events for all subscribed endpoints, and signs each attempt."""

    def __init__(self, settings: RivyaSettings) -> None:
        self._settings = settings
        self._header = settings.signature_header.lower()
        self._waits_ms = tuple(round(wait_s * 1000) for wait_s in settings.webhook_waits_s)

    def has_receiver(self, world: World, task: Task) -> bool:
        """Whether the task's account has an endpoint, even a disabled one."""
        return world.endpoints.has_any(task.order.account)

    def pending_events(self, world: World, task: Task, fault: DeliveryFault) -> list[PendingEvent]:
        """The event of a task for each subscribed endpoint.
        Reads show the generation as ended before the event is sent."""
        order, ends_ms = task.order, task.planned.ends_ms
        event_type = f"generation.{task.state_at(ends_ms).value}"
        endpoints = world.endpoints.subscribed(
            order.account, event_type, even_inactive=fault.deleted_endpoint
        )
        if not endpoints:
            return []
        generation = response_bodies.generation(
            task, world=world.name, now_ms=ends_ms, base_url=order.base_url
        )
        event = _written(world, order.account, event_type, ends_ms, generation)
        return [PendingEvent(event, each.url, self._waits_ms, each.id) for each in endpoints]

    def test(self, world: World, endpoint: Endpoint, base_url: str) -> Delivery:
        """Add a delivery of a made-up event, marked as a test, to one endpoint.
        It has no task and costs no credits."""
        now_ms = world.clock.now_ms()
        made_up = response_bodies.Generation(
            task_id="task_" + world.ids.hex("test task", world.deliveries.made + 1),
            model="hailuo-pro",
            price_credits=0,
            created_ms=now_ms,
            updated_ms=now_ms,
            state=TaskState.SUCCEEDED,
            world=world.name,
            base_url=base_url,
        )
        generation = response_bodies.generation_object(made_up)
        event = _written(
            world, endpoint.account, "generation.succeeded", now_ms, generation, is_test=True
        )
        (delivery,) = world.dispatch.schedule(PendingEvent(event, endpoint.url, (), endpoint.id))
        return delivery

    def headers(
        self, world: World, delivery: Delivery, attempt: Attempt, body: bytes
    ) -> list[tuple[str, str]]:
        """The headers of an attempt, with its own time and signature."""
        event, fault = delivery.event, delivery.attempt_fault
        endpoint = world.endpoints.get(delivery.endpoint_id or "")
        headers = [("content-type", "application/json"), ("user-agent", "Rivya-Webhooks/fake")]
        if endpoint is not None and fault.signed_with != "nothing":
            clock = world.clock
            at_ms = attempt.started_ms if clock.signatures == "world" else clock.signing_ms()
            at_s = at_ms // 1000 + round(fault.signed_s)
            attempt.note = _APART if clock.differs_from_machine(TOLERANCE_S * 1000) else None
            headers += self._signature(_secrets(world, endpoint, fault), event.id, body, at_s)
        return [
            *headers,
            ("rivya-event-id", event.id),
            ("rivya-event-type", event.type if fault.event_type is None else fault.event_type),
            ("rivya-delivery-id", response_bodies.delivery_id(world.ids, attempt.id)),
        ]

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict | None:
        """Whether the signature of a request received at `path` is right; None without one."""
        if self._header not in headers and _STANDARD not in headers:
            return None
        now_ms = world.clock.now_ms()
        endpoints = [each for each in world.endpoints if unquote(urlsplit(each.url).path) == path]
        secrets = [secret for each in endpoints for secret in each.secrets_at(now_ms)]
        try:
            self._check(headers, secrets, body, world.clock.signing_ms() // 1000)
        except BadSignature as bad:
            return SignatureVerdict(False, str(bad))
        reason = "signed with the secret of an endpoint that leads here"
        if world.clock.differs_from_machine(TOLERANCE_S * 1000):
            reason += f"; but it is {_APART}"
        return SignatureVerdict(True, reason)

    def _check(
        self, headers: Mapping[str, str], secrets: Sequence[str], body: bytes, now_s: int
    ) -> None:
        if self._header in headers:
            check_timestamped(headers[self._header], secrets, body, now_s)
        else:
            message_id = headers.get("webhook-id", "")
            time = headers.get("webhook-timestamp", "")
            check_standard(headers[_STANDARD], message_id, time, secrets, body, now_s=now_s)

    def _signature(
        self, secrets: Sequence[str], event_id: str, body: bytes, at_s: int
    ) -> list[tuple[str, str]]:
        if self._settings.webhook_signature == "rivya":
            return [(self._header, timestamped_signature(secrets, body, at_s))]
        return [
            ("webhook-id", event_id),
            ("webhook-timestamp", str(at_s)),
            (_STANDARD, standard_signature(secrets, event_id, body, at_s)),
        ]


_STANDARD = "webhook-signature"
_APART = (
    f"dated by the world's clock, more than {TOLERANCE_S} s from this machine's: libraries refuse "
    "that, unless the signatures of the world's clock are set to machine"
)


def timestamped_signature(secrets: Sequence[str], body: bytes, at_s: int) -> str:
    """`t=SECONDS,v1=HEX` with one `v1` per secret (rivya-webhook-signature).
    The HMAC-SHA256 is over the seconds, a dot and the body. The key is the whole secret."""
    signed = b"%d." % at_s + body
    digests = [hmac.new(secret.encode(), signed, "sha256").hexdigest() for secret in secrets]
    return ",".join([f"t={at_s}", *(f"v1={digest}" for digest in digests)])


def check_timestamped(signature: str, secrets: Sequence[str], body: bytes, now_s: int) -> None:
    """Raises BadSignature unless one of the secrets made the signature within the tolerance."""
    require_secret(secrets)
    fields = [field.partition("=") for field in signature.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    given = {value for name, _, value in fields if name == "v1"}
    if len(times) != 1 or not is_time(times[0]) or not given:
        raise BadSignature("the header is not of the form t=SECONDS,v1=HEX")
    at_s = int(times[0])
    right = timestamped_signature(secrets, body, at_s).split(",v1=")[1:]
    require_one_of(given, right)
    require_recent(at_s, now_s)


def _secrets(world: World, endpoint: Endpoint, fault: DeliveryFault) -> Sequence[str]:
    if fault.signed_with == "current":
        return endpoint.secrets_at(world.clock.now_ms())
    if fault.signed_with == "previous" and endpoint.previous_secret is not None:
        return (endpoint.previous_secret,)
    return (new_secret(world.chance, f"not {endpoint.id}"),)


def _written(
    world: World,
    account: str,
    event_type: str,
    created_ms: int,
    generation: dict[str, Any],
    *,
    is_test: bool = False,
) -> Event:
    event_id = "evt_" + world.ids.hex("event", f"{generation['id']}/{event_type}")
    body = {
        "id": event_id,
        "type": event_type,
        "api_version": API_VERSION,
        "created_at": timestamp(created_ms),
        "data": generation,
    }
    return Event(
        id=event_id,
        type=event_type,
        api="rivya",
        account=account,
        subject=generation["id"],
        created_ms=created_ms,
        body=msgspec.json.encode(body | ({"test": True} if is_test else {})),
    )
