"""A client of Rivya's webhooks, and what its receiver got."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, START_MS
from tests.receiver import Received, Receiver

SUCCEEDED, FAILED = "generation.succeeded", "generation.failed"
ENDED_S = START_MS // 1000 + 1
ENDED_AT = "2026-05-11T00:00:01.000Z"
DELIVERIES = "/_mock/worlds/default/deliveries"
CLOCK = "/_mock/worlds/default/clock"
FAULTS = "/_mock/worlds/default/faults"
SCHEDULE_S = [0, 30, 120, 600, 3600, 21600]


class Rivya:
    """A client of a running server with a frozen clock."""

    def __init__(self, mock: Live, client: httpx2.Client) -> None:
        self.mock = mock
        self._client = client

    def call(self, method: str, path: str, body: Any = None, *, key: str = KEY) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        answer = self._client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, url: str, *event_types: str, key: str = KEY) -> Any:
        body = {"url": url, "event_types": list(event_types or [SUCCEEDED, FAILED])}
        return self.call("POST", "/webhooks", body, key=key)

    def create(self, *, key: str = KEY) -> str:
        task_id: str = self.call("POST", "/generations", MINIMAL, key=key)["id"]
        return task_id

    def advance(self, seconds: float) -> None:
        """Move the clock. Every attempt due by then has ended on return."""
        advancing = self.mock.fake.worlds["default"].timekeeper.advance(round(seconds * 1000))
        asyncio.run_coroutine_threadsafe(advancing, self.mock.loop).result(WAIT_S)

    def finish(self, *, key: str = KEY) -> str:
        """A generation that has ended; each endpoint has had one attempt."""
        task_id = self.create(key=key)
        self.advance(1)
        return task_id

    def endpoint(self, endpoint: Any) -> Any:
        return self.call("GET", f"/webhooks/{endpoint['id']}")

    def deliveries(self, endpoint: Any) -> list[Any]:
        envelope = self.call("GET", f"/webhooks/{endpoint['id']}/deliveries")
        assert envelope["object"] == "list"
        records: list[Any] = envelope["data"]
        return records

    def door(self) -> list[Any]:
        """Every delivery as the control door shows it."""
        shown = httpx2.get(f"{self.mock.url}{DELIVERIES}").json()["deliveries"]
        deliveries: list[Any] = shown
        return deliveries

    def events(self, *, key: str = KEY) -> list[Any]:
        envelope = self.call("GET", "/webhook-events", key=key)
        assert envelope["object"] == "list"
        events: list[Any] = envelope["data"]
        return events


@contextmanager
def rivya(**changes: Any) -> Iterator[Rivya]:
    with live(**changes) as mock, httpx2.Client(base_url=mock.url) as client:
        yield Rivya(mock, client)


def standard() -> dict[str, Any]:
    """Settings that sign as Standard Webhooks does, on a clock that runs from now."""
    signature = {"rivya__webhook_signature": "standard"}
    clock = {"clock.mode": "real", "clock.start": datetime.now(UTC).isoformat()}
    return signature | clock | {"tasks__queued_s": 0.01, "tasks__processing_s": 0.01}


def came(hook: Receiver) -> list[Received]:
    """Everything that has arrived so far, oldest first."""
    return [hook.received.get_nowait() for _ in range(hook.received.qsize())]


def bodies(hook: Receiver) -> list[Any]:
    return [json.loads(received.body) for received in came(hook)]


def signed_at(received: Received, secret: str, header: str = "rivya-signature") -> int:
    """The time of a signature, after checking the signature itself."""
    time, signature = received.headers[header].split(",")
    at_s = time.removeprefix("t=")
    expected = hmac.new(secret.encode(), at_s.encode() + b"." + received.body, "sha256")
    assert signature == f"v1={expected.hexdigest()}"
    return int(at_s)


def switch_off(api: Rivya, endpoint: Any) -> None:
    api.call("PATCH", f"/webhooks/{endpoint['id']}", {"status": "disabled"})
