"""A mixed load on a server: what is acknowledged is noted as soon as its answer is read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.crash.acknowledged import CREATE, Acknowledged
from tests.crash.receiver import Received

_WORKERS = 6
_TIME_SCALE = 40
_MOST_WORLDS = 4
_LONG_BODY = 200_000

Json = dict[str, Any]


@dataclass
class Load:
    """Requests in random order from `chance`, until the server is gone or has refused to store.

    answered: how many requests were answered; stored_no_more: that an answer said so.
    """

    url: str
    received: Received
    chance: random.Random
    worlds: list[Acknowledged] = field(default_factory=list)
    on_answer: Callable[[], object] | None = None
    on_upload: Callable[[], object] | None = None
    answered: int = 0
    stored_no_more: bool = False

    async def run(self, requests: int) -> None:
        """Send about as many requests, several at once."""
        limits = httpx2.Limits(max_connections=_WORKERS * 2)
        async with httpx2.AsyncClient(base_url=self.url, limits=limits, timeout=20) as self._http:
            try:
                await self._make_world()
                works = [self._work(requests // _WORKERS) for _ in range(_WORKERS)]
                await asyncio.gather(*works)
            except httpx2.TransportError:
                return

    async def _work(self, requests: int) -> None:
        kinds: dict[Callable[[Acknowledged], Coroutine[Any, Any, None]], int] = {
            self._create: 5, self._create_with_key: 5, self._order_video: 5, self._repeat: 2,
            self._read: 6, self._upload: 2, self._issue_key: 1, self._add_fault: 1,
            self._replace_world: 1, self._lose_an_answer: 1,
        }  # fmt: skip
        for _ in range(requests):
            await self._one(list(kinds), list(kinds.values()))

    async def _one(self, kinds: list[Any], weights: list[int]) -> None:
        worlds = [world for world in self.worlds if world.is_dropped is False]
        (kind,) = self.chance.choices(kinds, weights)
        if worlds:
            await kind(self.chance.choice(worlds))

    # --- what is sent -------------------------------------------------------------------------

    async def _create(self, world: Acknowledged) -> None:
        answer = await self._rivya(world, "POST", "/generations", CREATE)
        if answer is not None:
            world.receivers[answer["id"]] = f"/{world.name}/rivya"

    async def _create_with_key(self, world: Acknowledged) -> None:
        key = f"key-{self.chance.getrandbits(64):x}"
        headers = {"idempotency-key": key}
        answer = await self._rivya(world, "POST", "/generations", CREATE, headers=headers)
        if answer is not None:
            world.receivers[answer["id"]] = f"/{world.name}/rivya"
            world.keyed[key] = answer["id"]

    async def _repeat(self, world: Acknowledged) -> None:
        if world.keyed:
            key, task = self.chance.choice(list(world.keyed.items()))
            headers = {"idempotency-key": key}
            answer = await self._rivya(world, "POST", "/generations", CREATE, headers=headers)
            assert answer is None or answer["id"] == task, (answer, task)

    async def _order_video(self, world: Acknowledged) -> None:
        path = f"/{world.name}/acedata"
        body = {"action": "generate", "prompt": "x", "callback_url": self.received.url + path}
        headers = {"authorization": f"Bearer {world.acedata_token}"}
        answer = await self._answered(world, "POST", "/hailuo/videos", json=body, headers=headers)
        if answer is not None:
            world.receivers[answer["task_id"]] = path

    async def _lose_an_answer(self, world: Acknowledged) -> None:
        headers = {"mock-scenario": "lost_answer"}
        try:
            await self._rivya(world, "POST", "/generations", CREATE, headers=headers)
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            await self._answered(None, "GET", "/_mock/health")  # raises if the server is gone

    async def _read(self, world: Acknowledged) -> None:
        tasks = [task for task, path in world.receivers.items() if path.endswith("/rivya")]
        if tasks:
            task = self.chance.choice(tasks)
            await self._rivya(world, "GET", f"/generations/{task}")

    async def _upload(self, world: Acknowledged) -> None:
        content = b"\x89PNG\r\n\x1a\n" + self.chance.randbytes(64)
        if self.on_upload is not None and self.chance.random() < 0.5:
            content += bytes(_LONG_BODY)
            self.on_upload()
        headers = {"authorization": f"Bearer {world.rivya_key}"}
        files = {"file": ("a.png", content)}
        sent = {"data": {"kind": "image"}, "files": files, "headers": headers}
        answer = await self._answered(world, "POST", "/api/v1/files", **sent)
        if answer is not None:
            world.files[answer["id"]] = len(content)

    async def _issue_key(self, world: Acknowledged) -> None:
        key = f"key-{self.chance.getrandbits(64):x}"
        path = f"/_mock/worlds/{world.name}/accounts/rivya-test"
        body = {"keys": [{"key": key, "api": "rivya"}]}
        if await self._answered(world, "PATCH", path, json=body) is not None:
            world.keys.add(key)

    async def _add_fault(self, world: Acknowledged) -> None:
        path = f"/_mock/worlds/{world.name}/faults"
        body = {"scenario": "rate_limited", "skip": 10**6}
        answer = await self._answered(world, "POST", path, json=body)
        if answer is not None:
            world.faults |= {fault["id"] for fault in answer["faults"]}

    async def _replace_world(self, world: Acknowledged) -> None:
        if len(self.worlds) < _MOST_WORLDS:
            await self._make_world()
        elif self.chance.random() < 0.2:
            world.is_dropped = None
            await self._answered(world, "DELETE", f"/_mock/worlds/{world.name}")
            world.is_dropped = True

    async def _make_world(self) -> None:
        name = f"crash-{self.chance.getrandbits(64):x}"  # new: a dropped name may come again
        body = {"name": name, "clock": {"mode": "real", "scale": _TIME_SCALE}, "credits": 10**6}
        facts = await self._answered(None, "POST", "/_mock/worlds", json=body)
        if facts is None:
            return
        keys = {key["api"]: key["key"] for key in facts["keys"]}
        world = Acknowledged(facts["name"], keys["rivya"], keys["acedata"])
        url = f"{self.received.url}/{world.name}/rivya"
        hook = {"url": url, "name": "a", "event_types": ["generation.succeeded"]}
        endpoint = await self._rivya(world, "POST", "/webhooks", hook)
        if endpoint is not None:
            world.endpoints.add(endpoint["id"])
            self.worlds.append(world)

    # --- how it is sent -----------------------------------------------------------------------

    async def _rivya(
        self,
        world: Acknowledged,
        method: str,
        path: str,
        body: Json | None = None,
        headers: dict[str, str] | None = None,
    ) -> Json | None:
        sent = {"authorization": f"Bearer {world.rivya_key}"} | (headers or {})
        return await self._answered(world, method, f"/api/v1{path}", json=body, headers=sent)

    async def _answered(
        self, world: Acknowledged | None, method: str, path: str, **sent: Any
    ) -> Json | None:
        """The answer; None if nothing could be stored, or if the world is being dropped."""
        answer = await self._http.request(method, path, **sent)
        self.answered += 1
        if self.on_answer is not None:
            self.on_answer()
        if answer.status_code >= 500:
            self.stored_no_more = True
            return None
        if answer.is_error and world is not None and world.is_dropped is not False:
            return None
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else {}
