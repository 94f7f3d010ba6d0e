"""Receives the events of all worlds, and keeps how it answered each of them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakSet

from benchmarks.receiver import OK, Answering

_ERROR = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_REFUSES_ONE_OF = 25


class Receiver:
    """An HTTP server whose paths are the names of worlds. It answers the first request of one in
    `_REFUSES_ONE_OF` events with 500, so that this event is sent again."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, list[int]]] = defaultdict(dict)
        self._connections: WeakSet[Answering] = WeakSet()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Listen for the block; yields the base URL."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for connection in list(self._connections):
                connection.close()

    def take(self, world: str) -> dict[str, list[int]]:
        """The statuses of the answers to each event of a world, which is then forgotten."""
        return self._answers.pop(world, {})

    def _connection(self) -> Answering:
        made = Answering(self._answer)
        self._connections.add(made)
        return made

    def _answer(self, head: bytes, body: bytes) -> bytes:
        world = head.split(b" ", 2)[1].decode().strip("/")
        event = json.loads(body)
        earlier = self._answers[world].setdefault(event_key(event), [])
        is_refused = not earlier and sum(event_key(event).encode()) % _REFUSES_ONE_OF == 0
        earlier.append(500 if is_refused else 200)
        return _ERROR if is_refused else OK


def event_key(event: dict[str, str]) -> str:
    """What all requests of one event have: Rivya's events have an id, callbacks that of a task."""
    return event.get("id") or event["task_id"]
