"""A client of Ace Data Cloud's Hailuo API."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from acedata_wire import (
    API_URL,
    FREE_TO_REPEAT,
    HELD_OPEN,
    REFUSALS,
    SAFE_TO_REPEAT,
    TIMEOUT,
    MaybeCharged,
    Task,
    is_ready,
    order_body,
    poll_pauses_s,
    read_outcome,
    read_task_id,
)
from client_common import NotSent, StillRunning, Unavailable, read_answer, retrying, save


class AceData:
    """Makes videos. A read without an answer is sent again; an order only if none was accepted.

    An order raises MaybeCharged if it is unknown whether it was accepted.
    """

    def __init__(
        self,
        token: str,
        base_url: str = API_URL,
        *,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """http: a client with your own settings. sleep: the function that waits."""
        self._url = base_url.rstrip("/")
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client() if http is None else http
        self._sleep = sleep

    def __enter__(self) -> AceData:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def generate(self, prompt: str, *, first_image_url: str | None = None) -> Task:
        """Order a video with a request that is held open until the video is finished."""
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
        """Order a video; the task's id. callback_url: use another URL for each order."""
        callback = {"callback_url": callback_url, "callback_secret": callback_secret}
        body = order_body(prompt, first_image_url, **{"async": True}, **callback)
        return read_task_id(self._order(body, TIMEOUT))

    def get(self, task_id: str) -> Task:
        """A task as it is now. Costs nothing."""
        body = {"action": "retrieve", "id": task_id}
        retry = retrying(FREE_TO_REPEAT, self._sleep)
        found = retry(self._send, "/hailuo/tasks", body, TIMEOUT)
        return read_outcome(task_id, found.get("response"))

    def wait(self, task_id: str, max_wait_s: float = 1800) -> Task:
        """Poll until the video is finished. Raises TaskFailed, or StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            self._sleep(pause)
            task = self.get(task_id)
            if is_ready(task):
                return task
        raise StillRunning(task_id)

    def download(self, task: Task, file: Path) -> None:
        """Save the whole video, or no file. The media host does not get the token."""
        part = file.with_name(file.name + ".part")
        retrying(FREE_TO_REPEAT, self._sleep)(save, self._http, task.video_url or "", part)
        part.replace(file)

    def _order(self, body: dict[str, Any], timeouts: httpx2.Timeout) -> Any:
        try:
            return retrying(SAFE_TO_REPEAT, self._sleep)(
                self._send, "/hailuo/videos", body, timeouts
            )
        except NotSent:
            raise
        except Unavailable as error:
            raise MaybeCharged(str(error)) from error

    def _send(self, path: str, body: dict[str, Any], timeouts: httpx2.Timeout) -> Any:
        try:
            response = self._http.post(
                self._url + path, json=body, headers=self._authorization, timeout=timeouts
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise NotSent(f"no server at {self._url}: {error}") from error
        except httpx2.TransportError as error:
            raise Unavailable(f"no answer to {path}: {error}") from error
        return read_answer(response, REFUSALS)
