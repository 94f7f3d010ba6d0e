"""A client of the Rivya Public API v1 for programs that await."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
import httpx2
from back_off import ATTEMPTS, pause_s
from rivya_wire import (
    API_URL,
    REPEATABLE,
    TIMEOUT,
    DownloadRefused,
    Generation,
    StillRunning,
    Unavailable,
    is_ready,
    new_key,
    poll_pauses_s,
    read_answer,
    read_generation,
)
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt


class AsyncRivya:
    """`Rivya` with everything awaited. One may serve many tasks at once."""

    def __init__(
        self,
        key: str,
        base_url: str = API_URL,
        *,
        http: httpx2.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """http: one with proxies, timeouts or headers of your own. sleep: how seconds pass."""
        self._url = f"{base_url.rstrip('/')}/api/v1"
        self._authorization = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.AsyncClient(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep

    async def __aenter__(self) -> AsyncRivya:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def credits(self) -> int:
        """What the account can spend."""
        body = await self._patiently(self._ask, "GET", "/credits")
        return int(body["current_credits"])

    async def create(
        self,
        prompt: str,
        *,
        model: str = "hailuo-pro",
        params: dict[str, Any] | None = None,
        order: str | None = None,
    ) -> Generation:
        """Order a video; its price is reserved.

        order: what the same order is called each time. Ordering again under that name finds the
        same generation and costs nothing, also from another process; None: every call is new.
        """
        body: dict[str, Any] = {"model": model, "prompt": prompt}
        if params is not None:
            body["params"] = params
        once = {"Idempotency-Key": new_key() if order is None else order}

        async def ask() -> Generation:
            return read_generation(await self._ask("POST", "/generations", body, once))

        generation: Generation = await self._patiently(ask)
        return generation

    async def get(self, generation_id: str) -> Generation:
        """A generation as it is now."""
        path = f"/generations/{generation_id}"
        return read_generation(await self._patiently(self._ask, "GET", path))

    async def wait(self, generation_id: str, max_wait_s: float = 1800) -> Generation:
        """Look until the video is there. Raises GenerationFailed, and StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            await self._sleep(pause)
            generation = await self.get(generation_id)
            if is_ready(generation):
                return generation
        raise StillRunning(generation_id)

    async def download(self, generation: Generation, file: Path) -> None:
        """Save the video: all of it, or no file. The key is not shown to the media host."""
        part = anyio.Path(file.with_name(file.name + ".part"))
        await self._patiently(self._save, generation.video_url or "", part)
        await part.replace(file)

    async def _patiently(self, ask: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        again = AsyncRetrying(
            retry=retry_if_exception_type(REPEATABLE),
            wait=pause_s,
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        )
        return await again(ask, *args)

    async def _ask(
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
        return read_answer(response)

    async def _save(self, url: str, file: anyio.Path) -> None:
        try:
            async with self._http.stream("GET", url) as response, await file.open("wb") as out:
                if response.status_code != 200:
                    raise DownloadRefused(f"status {response.status_code} at {url}")
                async for chunk in response.aiter_bytes():
                    await out.write(chunk)
        except httpx2.TransportError as error:
            raise Unavailable(f"the download of {url} broke off: {error}") from error
