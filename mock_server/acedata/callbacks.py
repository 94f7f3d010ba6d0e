"""Tell whoever gave a `callback_url` that their task has ended: once, plainly."""

from __future__ import annotations

import msgspec

from mock_server.acedata import wire
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.sender import Sender
from mock_server.settings import AceDataSettings


class Callbacks:
    """Writes the callback's body; sending is the sender's work."""

    def __init__(self, settings: AceDataSettings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    def task_ended(self, world: World, task: Task) -> None:
        """The task can already be read as ended; a callback that fails does it no harm."""
        if task.order.callback_url is None:
            return
        body = wire.outcome(
            task,
            world=world,
            settings=self._settings,
            base_url=task.order.base_url,
            in_task=False,
        )
        self._sender.post(task.order.callback_url, msgspec.json.encode(body))
