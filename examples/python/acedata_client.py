"""A client of Ace Data Cloud's Hailuo videos for programs that wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

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
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt


class AceData:
    """Makes videos. Looks are asked again when they got no answer, orders only if none was taken.

    What orders raises MaybeCharged when nobody can tell.
    """

    def __init__(
        self,
        token: str,
        base_url: str = API_URL,
        *,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """http: one with proxies or headers of your own. sleep: how seconds pass."""
        self._url = base_url.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client() if http is None else http
        self._sleep = sleep

    def __enter__(self) -> AceData:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._http.close()

    def generate(self, prompt: str, *, first_image_url: str | None = None) -> Task:
        """Order a video and wait on the open line.."""
        body = order_body(prompt, first_image_url)
        answer = self._order(body, HELD_OPEN)
        return read_outcome(read_task_id(answer), answer)

    def submit(
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
        return read_task_id(self._order(body, TIMEOUT))

    def get(self, task_id: str) -> Task:
        """A task as it is now. Costs nothing."""
        body = {"action": "retrieve", "id": task_id}
        again = self._repeating(FREE_TO_REPEAT)
        found = again(self._ask, "/hailuo/tasks", body, TIMEOUT)
        return read_outcome(task_id, found.get("response"))

    def wait(self, task_id: str, max_wait_s: float = 1800) -> Task:
        """Look until the video is there. Raises TaskFailed, and StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            self._sleep(pause)
            task = self.get(task_id)
            if is_ready(task):
                return task
        raise StillRunning(task_id)

    def download(self, task: Task, file: Path) -> None:
        """Save the video: all of it, or no file. The token is not shown to the media host."""
        part = file.with_name(file.name + ".part")
        self._repeating(FREE_TO_REPEAT)(self._save, task.video_url or "", part)
        part.replace(file)

    def _order(self, body: dict[str, Any], patience: httpx2.Timeout) -> Any:
        try:
            return self._repeating(SAFE_TO_REPEAT)(self._ask, "/hailuo/videos", body, patience)
        except NotSent:
            raise
        except Unavailable as error:
            raise MaybeCharged(str(error)) from error

    def _repeating(self, what: tuple[type[Exception], ...]) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(what),
            wait=pause_s,
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        )

    def _ask(self, path: str, body: dict[str, Any], patience: httpx2.Timeout) -> Any:
        try:
            response = self._http.post(
                self._url + path, json=body, headers=self._authorization, timeout=patience
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotSent(f"nobody to ask at {self._url}: {error}") from error
        except httpx2.TransportError as error:
            raise Unavailable(f"no answer to {path}: {error}") from error
        return read_answer(response)

    def _save(self, url: str, file: Path) -> None:
        try:
            with self._http.stream("GET", url) as response, file.open("wb") as out:
                if response.status_code != 200:
                    raise DownloadRefused(f"status {response.status_code} at {url}")
                for chunk in response.iter_bytes():
                    out.write(chunk)
        except httpx2.TransportError as error:
            raise Unavailable(f"the download of {url} broke off: {error}") from error
