"""A server in this process without a socket, on a frozen clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from mock_server.apis import ALL
from mock_server.config.settings import Settings
from mock_server.config.sources import read_settings
from mock_server.core.world import World
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from mock_server.simulation.state import ServerState
from tests.asgi import Answer, Driver
from tests.contract_hook import HeldToContract

START = "2026-05-11T00:00:00Z"
START_MS = 1778457600000
KEY = "rvya_sk_test"
TOKEN = "test-token"
KEYS_BY_STATE: dict[str, Any] = {
    "good": {},
    "revoked": {"revoked": True},
    "disabled": {"disabled": True},
    "expired": {"expires_at": "2026-05-10T00:00:00Z"},
}
"""The settings of one key in each state, as `account` takes them."""
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64

MINIMAL = {
    "model": "hailuo-pro",
    "prompt": "A cinematic product reveal with smooth camera movement",
}
VIDEO = {"action": "generate", "prompt": "Internal heat"}


def settings_of(**changes: Any) -> Settings:
    """Settings on a frozen clock, some changed: `tasks__failure_rate=1`."""
    flags = {"clock.mode": "frozen", "clock.start": START}
    flags |= {name.replace("__", "."): value for name, value in changes.items()}
    settings, _ = read_settings(flags=flags, environment={}, file=None, apis=ALL)
    return settings


class Mock:
    """A server and a client of each API. `close` fails if any answer broke the contract."""

    def __init__(self, **changes: Any) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.fake: ServerState = make_server(settings_of(**changes), lambda: START_MS, self.resolve)
        self.app = HeldToContract(make_app(self.fake))
        self.driver = Driver(self.app)
        self.request = self.driver.request
        self._open: list[asyncio.Task[None]] = []

    async def resolve(self, host: str) -> list[str]:
        """The addresses of a host, from `addresses`."""
        return self.addresses.get(host, [])

    def start(self, exchange: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin an exchange; `close` cancels it if it is still open."""
        self._open.append(self.driver.loop.create_task(exchange))
        return self._open[-1]

    def close(self) -> None:
        self.driver.loop.run_until_complete(self._close())
        self.driver.close()
        assert self.app.broken == []

    async def _close(self) -> None:
        for exchange in self._open:
            exchange.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self.fake.close()

    @property
    def world(self) -> World:
        return self.fake.world()

    def advance(self, seconds: float) -> None:
        """Move the clock; what comes due happens when the next request comes in."""
        self.world.clock.advance(round(seconds * 1000))

    def rivya(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A request to Rivya; `path` counts from /api/v1, bytes are sent as they are."""
        return self._send(method, f"/api/v1{path}", body, key, headers or {})

    def acedata(
        self,
        path: str,
        body: Any,
        *,
        token: str | None = TOKEN,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """A POST to AceData; `path` counts from /hailuo, bytes are sent as they are."""
        return self._send("POST", f"/hailuo{path}", body, token, headers or {})

    def create(self, **fields: Any) -> Answer:
        """A valid Rivya generation, some fields changed."""
        return self.rivya("POST", "/generations", MINIMAL | fields)

    def generation(self, task_id: str) -> Any:
        """The generation as the status endpoint shows it now."""
        return self.rivya("GET", f"/generations/{task_id}").json()

    def upload(
        self,
        content: bytes = PNG,
        *,
        name: str = "a.png",
        kind: str = "image",
        key: str | None = KEY,
        **fields: str,
    ) -> Answer:
        """A well-formed upload."""
        return self.rivya(
            "POST",
            "/files",
            form({"kind": kind, **fields}, {"file": (name, content)}),
            key=key,
            headers={"content-type": "multipart/form-data; boundary=frontier"},
        )

    def _send(
        self, method: str, path: str, body: Any, key: str | None, headers: Mapping[str, str]
    ) -> Answer:
        sent = {} if key is None else {"authorization": f"Bearer {key}"}
        if body is not None:
            sent["content-type"] = "application/json"
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        return self.driver.request(method, path, headers=sent | dict(headers), body=raw)


MakeMock = Callable[..., Mock]


def form(fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> bytes:
    """A multipart body with the boundary `frontier`."""
    parts = [
        f'--frontier\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for field, (name, content) in files.items():
        head = f'--frontier\r\ncontent-disposition: form-data; name="{field}"; filename="{name}"'
        parts.append(
            head.encode()
            + b"\r\ncontent-type: application/octet-stream\r\n\r\n"
            + content
            + b"\r\n"
        )
    return b"".join(parts) + b"--frontier--\r\n"
