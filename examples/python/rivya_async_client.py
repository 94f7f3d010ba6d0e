"""An async client of the Rivya Public API v1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
from client_common import StillRunning, Unavailable, async_retrying, async_save, read_answer
from rivya_wire import (
    API_URL,
    REFUSALS,
    REPEATABLE,
    TIMEOUT,
    Generation,
    create_request,
    is_ready,
    poll_pauses_s,
    read_generation,
)


class AsyncRivya:
    """The client `Rivya` with async methods. Many tasks can share one."""

    def __init__(
        self,
        key: str,
        base_url: str = API_URL,
        *,
        http: httpx2.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """http: a client with your own settings. sleep: the function that waits."""
        self._url = f"{base_url.rstrip('/')}/api/v1"
        self._authorization = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.AsyncClient(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep

    async def __aenter__(self) -> AsyncRivya:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def credits(self) -> int:
        """The available credits of the account."""
        body = await self._retry(self._send, "GET", "/credits")
        return int(body["current_credits"])

    async def create(
        self,
        prompt: str,
        *,
        model: str = "hailuo-pro",
        params: dict[str, Any] | None = None,
        order: str | None = None,
    ) -> Generation:
        """Order a video. Its price is reserved.

        order: a name for the order. A second call with the same name returns the same generation
        and costs nothing, also in another process. None: every call is a new order.
        """
        body, headers = create_request(prompt, model, params, order)

        async def send() -> Generation:
            return read_generation(await self._send("POST", "/generations", body, headers))

        generation: Generation = await self._retry(send)
        return generation

    async def get(self, generation_id: str) -> Generation:
        """A generation as it is now."""
        path = f"/generations/{generation_id}"
        return read_generation(await self._retry(self._send, "GET", path))

    async def wait(self, generation_id: str, max_wait_s: float = 1800) -> Generation:
        """Poll until the video is finished. Raises GenerationFailed, or StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            await self._sleep(pause)
            generation = await self.get(generation_id)
            if is_ready(generation):
                return generation
        raise StillRunning(generation_id)

    async def download(self, generation: Generation, file: Path) -> None:
        """Save the whole video, or no file. The media host does not get the key."""
        part = anyio.Path(file.with_name(file.name + ".part"))
        await self._retry(async_save, self._http, generation.video_url or "", part)
        await part.replace(file)

    async def _retry(self, send: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await async_retrying(REPEATABLE, self._sleep)(send, *args)

    async def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        headers = self._authorization | (headers or {})
        try:
            response = await self._http.request(
                method, self._url + path, json=body, headers=headers
            )
        except httpx2.TransportError as error:
            raise Unavailable(f"no answer to {method} {path}: {error}") from error
        return read_answer(response, REFUSALS)
