"""A client of the Rivya Public API v1."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
from client_common import StillRunning, Unavailable, read_answer, retrying, save
from rivya_wire import (
    API_URL,
    REFUSALS,
    REPEATABLE,
    TIMEOUT,
    Generation,
    WebhookEndpoint,
    create_request,
    is_ready,
    poll_pauses_s,
    read_generation,
    webhook_request,
)


class Rivya:
    """Makes videos. A request without an answer is sent again if that is safe."""

    def __init__(
        self,
        key: str,
        base_url: str = API_URL,
        *,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """http: a client with your own settings. sleep: the function that waits."""
        self._url = f"{base_url.rstrip('/')}/api/v1"
        self._authorization = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.Client(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep
        self._retry = retrying(REPEATABLE, sleep)

    def __enter__(self) -> Rivya:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def credits(self) -> int:
        """The available credits of the account."""
        return int(self._retry(self._send, "GET", "/credits")["current_credits"])

    def create(
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

        def send() -> Generation:
            return read_generation(self._send("POST", "/generations", body, headers))

        return self._retry(send)

    def get(self, generation_id: str) -> Generation:
        """A generation as it is now."""
        return read_generation(self._retry(self._send, "GET", f"/generations/{generation_id}"))

    def wait(self, generation_id: str, max_wait_s: float = 1800) -> Generation:
        """Poll until the video is finished. Raises GenerationFailed, or StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            self._sleep(pause)
            generation = self.get(generation_id)
            if is_ready(generation):
                return generation
        raise StillRunning(generation_id)

    def download(self, generation: Generation, file: Path) -> None:
        """Save the whole video, or no file. The media host does not get the key."""
        part = file.with_name(file.name + ".part")
        self._retry(save, self._http, generation.video_url or "", part)
        part.replace(file)

    def make_webhook(self, url: str) -> WebhookEndpoint:
        """Create an endpoint. It is not retried: a second endpoint would get all events, too."""
        body = self._send("POST", "/webhooks", webhook_request(url))
        return WebhookEndpoint(body["id"], body["signing_secret"])

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        headers = self._authorization | (headers or {})
        try:
            response = self._http.request(method, self._url + path, json=body, headers=headers)
        except httpx2.TransportError as error:
            raise Unavailable(f"no answer to {method} {path}: {error}") from error
        return read_answer(response, REFUSALS)
