"""A server on a real socket, in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue
from typing import Any

from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from mock_server.server.serve import Server
from mock_server.simulation.state import ServerState
from mock_server.simulation.wall_clock import wall_ms
from tests.contract_hook import HeldToContract
from tests.mock import settings_of

WAIT_S = 60
"""Real seconds after which a test gives up. Only a busy machine needs more than one of them."""


@dataclass(frozen=True)
class Live:
    """A running server: its URL and its state."""

    url: str
    fake: ServerState
    server: Server
    loop: asyncio.AbstractEventLoop

    def advance(self, seconds: float) -> None:
        """Move a frozen clock, and let everything due happen before returning."""

        timekeeper = self.fake.worlds["default"].timekeeper
        advancing = timekeeper.advance(round(seconds * 1000))
        asyncio.run_coroutine_threadsafe(advancing, self.loop).result(WAIT_S)


@contextmanager
def live(**changes: Any) -> Iterator[Live]:
    """A server on a free port. Its answers must keep the contract, or leaving fails."""
    fake = make_server(settings_of(port=0, **changes), wall_ms)
    app = HeldToContract(make_app(fake))
    started: Queue[tuple[str, asyncio.AbstractEventLoop]] = Queue()
    server = Server(fake, app, on_ready=lambda url: started.put((url, asyncio.get_running_loop())))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    url, loop = started.get(timeout=WAIT_S)
    try:
        yield Live(url, fake, server, loop)
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert app.broken == []
