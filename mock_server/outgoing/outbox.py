"""Connects the end of a task with its deliveries: the API writes events, the sender sends them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from msgspec.structs import replace

from mock_server.core.deliveries import Attempt, Delivery, OutgoingRequest, PendingEvent
from mock_server.core.effects import NO_FAULT, DeliveryFault
from mock_server.core.inbox import UNSIGNED, SignatureVerdict
from mock_server.core.lifecycle import TERMINAL, TaskEvent
from mock_server.core.tasks import Task, ended_at
from mock_server.core.world import World
from mock_server.outgoing.sender import Sender


class EventWriter(Protocol):
    """Writes and signs the events of one API."""

    def has_receiver(self, world: World, task: Task) -> bool:
        """Whether the end of this task has a receiver."""

    def pending_events(self, world: World, task: Task, fault: DeliveryFault) -> list[PendingEvent]:
        """The events about the end of this task, each with its receiver."""

    def headers(
        self, world: World, delivery: Delivery, attempt: Attempt, body: bytes
    ) -> list[tuple[str, str]]:
        """The headers of an attempt that carries this body, the signature among them."""

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict | None:
        """Whether the signature of a received request is valid; None if this API made none."""


class Outbox:
    """Adds deliveries when tasks end, and starts their attempts when these are due."""

    def __init__(self, writers: Mapping[str, EventWriter], sender: Sender) -> None:
        """`writers`: each API's, by its name."""
        self._writers = writers
        self._sender = sender

    def task_ended(self, world: World, task: Task) -> None:
        """Add the deliveries for the end of a task. Reads of the task already show the end."""
        writer = self._writers[task.order.api]
        if not writer.has_receiver(world, task):
            return  # so that no fault is matched and counted without a delivery
        fault = world.delivery_fault(task)
        shown = task
        if fault.unknown_task:
            shown = replace(task, id=world.ids.task(task.order.api, f"unknown {task.id}"))
        if fault.contradicted:
            for pending in writer.pending_events(world, _with_opposite_outcome(shown), fault):
                world.dispatch.schedule(pending, replace(fault, late_s=NO_FAULT.late_s))
        for pending in writer.pending_events(world, shown, fault):
            world.dispatch.schedule(pending, fault)

    def next_request(self, world: World, delivery: Delivery) -> OutgoingRequest:
        """The request that an attempt at this delivery would send now. Nothing is changed or sent.
        Refuses with Conflict if its URL cannot be called."""
        copy = replace(delivery, url=_url_now(world, delivery), attempts=list(delivery.attempts))
        attempt = copy.begin_attempt(world.clock.now_ms())
        return self._sender.as_sent(self._outgoing(world, copy, attempt), copy.attempt_fault)

    def deliveries_of(
        self, world: World, task: Task, outcome: TaskEvent | None = None
    ) -> list[Delivery]:
        """The deliveries for the end of a task, without a fault; they are not scheduled.
        A task that has not ended is shown as if it ended now. outcome: None: as planned."""
        if world.state_of(task) not in TERMINAL:
            task = ended_at(world.clock.now_ms(), task, outcome or task.planned.outcome)
        elif outcome not in (None, task.planned.outcome):
            task = _with_opposite_outcome(task)
        pending = self._writers[task.order.api].pending_events(world, task, NO_FAULT)
        return [
            world.dispatch.delivery_of(each, before=number) for number, each in enumerate(pending)
        ]

    def attempt_due(
        self, world: World, delivery: Delivery, on_end: Callable[[], None]
    ) -> asyncio.Task[Attempt | None] | None:
        """Start an attempt; None if the endpoint was disabled or revoked meanwhile.
        on_end: called when the attempt has ended."""
        if not _is_wanted(world, delivery):
            return None
        return self._sender.start(world, delivery, _is_wanted, self._outgoing, on_end)

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict:
        """Whether the signature of a request to this world's inbox at `path` is valid."""
        for writer in self._writers.values():
            verdict = writer.verdict(world, path, headers, body)
            if verdict is not None:
                return verdict
        return UNSIGNED

    def _outgoing(self, world: World, delivery: Delivery, attempt: Attempt) -> OutgoingRequest:
        """The request of an attempt that has just begun, changed by its fault."""
        fault = delivery.attempt_fault
        signed = fault.body_to_sign(delivery.event.body, world.rules.event_spelling)
        headers = self._writers[delivery.event.api].headers(world, delivery, attempt, signed)
        if fault.content_type is not None:
            headers = [
                (name, fault.content_type if name == "content-type" else value)
                for name, value in headers
            ]
        url = delivery.url
        if fault.connection == "tls":
            parts = urlsplit(url)
            port = "" if parts.port or parts.scheme == "https" else ":80"
            url = parts._replace(scheme="https", netloc=parts.netloc + port).geturl()
        return OutgoingRequest(url, tuple(headers), fault.body_to_send(signed))


def _is_wanted(world: World, delivery: Delivery) -> bool:
    """Whether its endpoint is still active; if not, the delivery is given up."""
    endpoint = world.endpoints.get(delivery.endpoint_id or "")
    if endpoint is not None:
        if not (endpoint.is_active or delivery.fault.deleted_endpoint):
            world.dispatch.give_up(delivery, f"not sent: the endpoint is {endpoint.status.value}")
            return False
        delivery.url = _url_now(world, delivery)
    return True


def _url_now(world: World, delivery: Delivery) -> str:
    """The URL of a delivery; its endpoint may have a new one by now."""
    endpoint = world.endpoints.get(delivery.endpoint_id or "")
    return delivery.url if endpoint is None else endpoint.url


def _with_opposite_outcome(task: Task) -> Task:
    broke = task.planned.outcome is TaskEvent.BROKE
    outcome = TaskEvent.RENDERED if broke else TaskEvent.BROKE
    return replace(task, planned=replace(task.planned, outcome=outcome))
