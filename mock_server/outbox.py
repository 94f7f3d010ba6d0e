"""What goes out when something has happened in a world, and by whom it is carried."""

from __future__ import annotations

from mock_server.acedata.callbacks import Callbacks
from mock_server.core.deliveries import Delivery
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.sender import Sender
from mock_server.timekeeper import Timekeeper


class Outbox:
    """Has the right API write the event, and the sender carry it out."""

    def __init__(self, callbacks: Callbacks, sender: Sender) -> None:
        self._callbacks = callbacks
        self._sender = sender

    def task_ended(self, world: World, task: Task) -> None:
        """Owe whoever asked for it the news; the task can be read as ended before they have it."""
        self._callbacks.task_ended(world, task)

    def attempt_due(self, timekeeper: Timekeeper, delivery: Delivery) -> None:
        """Try a delivery."""
        self._sender.carry_out(timekeeper, delivery)
