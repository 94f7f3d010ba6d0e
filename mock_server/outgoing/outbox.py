"""What goes out when something has happened in a world, and by whom it is carried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from msgspec.structs import replace

from mock_server.core.deliveries import Attempt, Delivery, Owed, Posting
from mock_server.core.delivery_faults import SOUND, DeliveryFault
from mock_server.core.inbox import UNSIGNED, SignatureVerdict
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.outgoing.sender import Sender


class Writer(Protocol):
    """How an API writes to receivers."""

    def may_be_heard(self, world: World, task: Task) -> bool:
        """Whether anybody could be told of the end of this task."""

    def owed(self, world: World, task: Task, fault: DeliveryFault) -> list[Owed]:
        """Who is to be told what about the end of this task."""

    def headers(
        self, world: World, delivery: Delivery, attempt: Attempt, body: bytes
    ) -> list[tuple[str, str]]:
        """The headers of an attempt that carries this body, the signature among them."""

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict | None:
        """What the signature of a received request is worth; None if it is none of this API's."""


class Outbox:
    """Has the right API write the event and sign it, and the sender carry it out."""

    def __init__(self, writers: Mapping[str, Writer], sender: Sender) -> None:
        """`writers`: each API's, by its name."""
        self._writers = writers
        self._sender = sender

    def task_ended(self, world: World, task: Task) -> None:
        """Owe whoever asked for it the news; the task can be read as ended before they have it."""
        writer = self._writers[task.order.api]
        if not writer.may_be_heard(world, task):
            return  # and no fault that happens once is spent on it
        fault = world.delivery_fault(task)
        told = _renamed(world, task) if fault.unknown_task else task
        if fault.contradicted:
            for owed in writer.owed(world, _contradicted(told), fault):
                world.owe(owed, replace(fault, late_s=SOUND.late_s))
        for owed in writer.owed(world, told, fault):
            world.owe(owed, fault)

    def attempt_due(
        self, world: World, delivery: Delivery, on_end: Callable[[], None]
    ) -> asyncio.Task[Attempt | None] | None:
        """Try a delivery, unless its endpoint was switched off or taken back meanwhile.

        on_end: called when the attempt has ended.
        """
        if not _is_wanted(world, delivery):
            return None
        return self._sender.carry_out(world, delivery, _is_wanted, self._posting, on_end)

    def verdict(
        self, world: World, path: str, headers: Mapping[str, str], body: bytes
    ) -> SignatureVerdict:
        """What the signature of a request is worth that this world's inbox at `path` received."""
        for writer in self._writers.values():
            verdict = writer.verdict(world, path, headers, body)
            if verdict is not None:
                return verdict
        return UNSIGNED

    def _posting(self, world: World, delivery: Delivery, attempt: Attempt) -> Posting:
        """The request of an attempt that has just begun, with all that is wrong with it."""
        fault = delivery.attempt_fault
        signed = fault.written(delivery.event.body)
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
        return Posting(url, tuple(headers), fault.sent(signed))


def _is_wanted(world: World, delivery: Delivery) -> bool:
    """Whether its endpoint is still switched on; if not, the delivery is given up."""
    endpoint = world.endpoints.get(delivery.endpoint_id or "")
    if endpoint is not None:
        if not (endpoint.is_active or delivery.fault.deleted_endpoint):
            world.give_up(delivery, f"not sent: the endpoint is {endpoint.status.value}")
            return False
        delivery.url = endpoint.url  # it may have moved since the event was owed
    return True


def _renamed(world: World, task: Task) -> Task:
    """The same task under an id that was never given to one."""
    return replace(task, id=world.ids.task(task.order.api, f"unknown {task.id}"))


def _contradicted(task: Task) -> Task:
    """The same task with the opposite end."""
    broke = task.fate.outcome is TaskEvent.BROKE
    outcome = TaskEvent.RENDERED if broke else TaskEvent.BROKE
    return replace(task, fate=replace(task.fate, outcome=outcome))
