"""What goes out when something has happened in a world, and by whom it is carried."""

from __future__ import annotations

import asyncio
from functools import partial

from mock_server.acedata.callbacks import Callbacks
from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.rivya.events import Events
from mock_server.sender import Sender
from mock_server.timekeeper import Timekeeper


class Outbox:
    """Has the right API write the event and sign it, and the sender carry it out."""

    def __init__(self, callbacks: Callbacks, events: Events, sender: Sender) -> None:
        self._callbacks = callbacks
        self._events = events
        self._sender = sender

    def task_ended(self, world: World, task: Task) -> None:
        """Owe whoever asked for it the news; the task can be read as ended before they have it."""
        if task.order.api == "acedata":
            self._callbacks.task_ended(world, task)
        else:
            self._events.task_ended(world, task)

    def attempt_due(
        self, timekeeper: Timekeeper, delivery: Delivery
    ) -> asyncio.Task[Attempt] | None:
        """Try a delivery, unless its endpoint was switched off or taken back meanwhile."""
        world = timekeeper.world
        endpoint = world.endpoints.get(delivery.endpoint_id or "")
        if endpoint is not None and not endpoint.is_active:
            world.give_up(delivery)
            return None
        sign = partial(self._events.signed_headers, world, delivery)
        return self._sender.carry_out(timekeeper, delivery, sign)
