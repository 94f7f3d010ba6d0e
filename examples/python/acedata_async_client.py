"""A client of Ace Data Cloud's Hailuo videos for programs that await."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
import httpx2
from acedata_wire import (
    API_URL,
    FREE_TO_REPEAT,
    HELD_OPEN,
    SAFE_TO_REPEAT,
    TIMEOUT,
    DownloadRefused,
    MaybeCharged,
    NotSent,
    StillRunning,
    Task,
    Unavailable,
    is_ready,
    order_body,
    poll_pauses_s,
    read_answer,
    read_outcome,
    read_task_id,
)
from back_off import ATTEMPTS, pause_s
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt


class AsyncAceData:
    """`AceData` with everything awaited. One may serve many tasks at once."""

    def __init__(
        self,
        token: str,
        base_url: str = API_URL,
        *,
        http: httpx2.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """http: one with proxies or headers of your own. sleep: how seconds pass."""
        self._url = base_url.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.AsyncClient() if http is None else http
        self._sleep = sleep

    async def __aenter__(self) -> AsyncAceData:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def generate(self, prompt: str, *, first_image_url: str | None = None) -> Task:
        """Order a video and wait on the open line."""
        body = order_body(prompt, first_image_url)
        answer = await self._order(body, HELD_OPEN)
        return read_outcome(read_task_id(answer), answer)

    async def submit(
        self,
        prompt: str,
        *,
        first_image_url: str | None = None,
        callback_url: str | None = None,
        callback_secret: str | None = None,
    ) -> str:
        """Order a video; the task's id. callback_url: give each order one of its own."""
        asked = {"callback_url": callback_url, "callback_secret": callback_secret}
        body = order_body(prompt, first_image_url, **{"async": True}, **asked)
        return read_task_id(await self._order(body, TIMEOUT))

    async def get(self, task_id: str) -> Task:
        """A task as it is now. Costs nothing."""
        body = {"action": "retrieve", "id": task_id}
        again = self._repeating(FREE_TO_REPEAT)
        found: Any = await again(self._ask, "/hailuo/tasks", body, TIMEOUT)
        return read_outcome(task_id, found.get("response"))

    async def wait(self, task_id: str, max_wait_s: float = 1800) -> Task:
        """Look until the video is there. Raises TaskFailed, and StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            await self._sleep(pause)
            task = await self.get(task_id)
            if is_ready(task):
                return task
        raise StillRunning(task_id)

    async def download(self, task: Task, file: Path) -> None:
        """Save the video: all of it, or no file. The token is not shown to the media host."""
        part = anyio.Path(file.with_name(file.name + ".part"))
        await self._repeating(FREE_TO_REPEAT)(self._save, task.video_url or "", part)
        await part.replace(file)

    async def _order(self, body: dict[str, Any], patience: httpx2.Timeout) -> Any:
        again = self._repeating(SAFE_TO_REPEAT)
        try:
            return await again(self._ask, "/hailuo/videos", body, patience)
        except NotSent:
            raise
        except Unavailable as error:
            raise MaybeCharged(str(error)) from error

    def _repeating(self, what: tuple[type[Exception], ...]) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception_type(what),
            wait=pause_s,
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        )

    async def _ask(self, path: str, body: dict[str, Any], patience: httpx2.Timeout) -> Any:
        try:
            response = await self._http.post(
                self._url + path, json=body, headers=self._authorization, timeout=patience
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotSent(f"nobody to ask at {self._url}: {error}") from error
        except httpx2.TransportError as error:
            raise Unavailable(f"no answer to {path}: {error}") from error
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
