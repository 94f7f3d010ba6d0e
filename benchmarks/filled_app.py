"""The app with as many tasks as wanted, in this process, asked without a socket.

    python -m benchmarks.filled_app TASKS

Filling over HTTP would take minutes, so tasks are put straight into the world. Speaks JSON lines:
`{"fill": true}` makes a fresh app with TASKS tasks that have ended, `{"get": 1000}` and
`{"create": 1000}` ask it that often. Each is answered with the CPU seconds it took and the tasks
there are now.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import messages
from mock_server.app import make_app
from mock_server.core.tasks import Order
from mock_server.core.world import World
from mock_server.fake import Fake, make_fake
from mock_server.settings import AccountSettings, KeySettings, Settings

_ACCOUNT = "rivya"
_PRICE_CREDITS = 57
_WARM_UP = 200
_TASK_LIFE_MS = 2000
"""Longer than a task takes from create to its end, by default."""


class Clock:
    """Real time, and jumps."""

    def __init__(self) -> None:
        self.jumped_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since 1970, and what was jumped."""
        return time.time_ns() // 1_000_000 + self.jumped_ms


class FilledApp:
    """A fresh app with tasks in it. Every answer must be a 200: AssertionError if one is not."""

    def __init__(self, tasks: int) -> None:
        self._clock = Clock()
        self._fake = _fake(self._clock.now_ms)
        self._app = make_app(self._fake)
        self._ids = _fill(self._fake.world(), tasks, self._clock)
        self._random = random.Random(7)

    @property
    def stored(self) -> int:
        """How many tasks there are."""
        return len(self._fake.world().tasks)

    async def get(self, count: int) -> float:
        """Look at tasks picked at random; the CPU seconds it took."""
        picked = self._random.choices(self._ids, k=count)
        scopes = [_scope("GET", f"{messages.GENERATIONS}/{task_id}") for task_id in picked]
        began_s = time.process_time()
        statuses = await self._statuses(scopes, b"")
        cpu_s = time.process_time() - began_s
        assert statuses == [200] * count, set(statuses)
        return cpu_s

    async def create(self, count: int) -> float:
        """Make tasks and let them end; the CPU seconds it took."""
        body = json.dumps(messages.MINIMAL).encode()
        scopes = [_scope("POST", messages.GENERATIONS) for _ in range(count)]
        before = self.stored
        began_s = time.process_time()
        statuses = await self._statuses(scopes, body)
        self._clock.jumped_ms += _TASK_LIFE_MS
        self._fake.world().catch_up()
        cpu_s = time.process_time() - began_s
        assert statuses == [200] * count, set(statuses)
        assert self.stored == before + count
        return cpu_s

    async def _statuses(self, scopes: list[dict[str, Any]], body: bytes) -> list[int]:
        """Ask one after the other."""
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        for scope in scopes:
            await self._app(scope, receive, send)
        return statuses


def _fake(source_ms: Callable[[], int]) -> Fake:
    key = KeySettings(key=messages.RIVYA_KEY, api="rivya")
    return make_fake(Settings(accounts=(AccountSettings(_ACCOUNT, 10**15, (key,)),)), source_ms)


def _fill(world: World, tasks: int, clock: Clock) -> list[str]:
    """Their ids. All have ended, and what can be collected is collected."""
    ids = []
    for _ in range(tasks // 1000):
        ids += [world.submit(_order(number)).id for number in range(1000)]
        clock.jumped_ms += _TASK_LIFE_MS
        world.catch_up()
    gc.collect()
    return ids


def _order(number: int) -> Order:
    """An order of its own: no two requests share their bytes."""
    return Order(
        api="rivya",
        account=_ACCOUNT,
        key=messages.RIVYA_KEY,
        model="hailuo-pro",
        price_credits=_PRICE_CREDITS,
        request=json.dumps(messages.MINIMAL | {"client_request_id": str(number)}).encode(),
        base_url=f"http://127.0.0.1:{number % 50_000}",
    )


def _scope(method: str, path: str) -> dict[str, Any]:
    """A request as a server would hand it to the app."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", f"Bearer {messages.RIVYA_KEY}".encode()),
            (b"content-type", b"application/json"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def _obey(tasks: int) -> None:
    app: FilledApp | None = None
    for line in sys.stdin:
        order = json.loads(line)
        cpu_s = 0.0
        if app is None or "fill" in order:
            app = FilledApp(tasks)
            await app.get(_WARM_UP)
            await app.create(_WARM_UP)
        if "get" in order:
            cpu_s = await app.get(order["get"])
        elif "create" in order:
            cpu_s = await app.create(order["create"])
        print(json.dumps({"cpu_s": cpu_s, "stored": app.stored}), flush=True)


if __name__ == "__main__":
    asyncio.run(_obey(int(sys.argv[1])))
