"""A client of the Rivya Public API v1 for programs that wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

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
    WebhookEndpoint,
    is_ready,
    new_key,
    poll_pauses_s,
    read_answer,
    read_generation,
)
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt


class Rivya:
    """Makes videos. Whatever is safe to ask twice is asked again when it got no answer."""

    def __init__(
        self,
        key: str,
        base_url: str = API_URL,
        *,
        http: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """http: one with proxies, timeouts or headers of your own. sleep: how seconds pass."""
        self._url = f"{base_url.rstrip('/')}/api/v1"
        self._authorization = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.Client(timeout=TIMEOUT) if http is None else http
        self._sleep = sleep
        self._patiently = Retrying(
            retry=retry_if_exception_type(REPEATABLE),
            wait=pause_s,
            stop=stop_after_attempt(ATTEMPTS),
            sleep=sleep,
            reraise=True,
        )

    def __enter__(self) -> Rivya:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._http.close()

    def credits(self) -> int:
        """What the account can spend."""
        return int(self._patiently(self._ask, "GET", "/credits")["current_credits"])

    def create(
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

        def ask() -> Generation:
            return read_generation(self._ask("POST", "/generations", body, once))

        return self._patiently(ask)

    def get(self, generation_id: str) -> Generation:
        """A generation as it is now."""
        return read_generation(self._patiently(self._ask, "GET", f"/generations/{generation_id}"))

    def wait(self, generation_id: str, max_wait_s: float = 1800) -> Generation:
        """Look until the video is there. Raises GenerationFailed, and StillRunning in the end."""
        for pause in poll_pauses_s(max_wait_s):
            self._sleep(pause)
            generation = self.get(generation_id)
            if is_ready(generation):
                return generation
        raise StillRunning(generation_id)

    def download(self, generation: Generation, file: Path) -> None:
        """Save the video: all of it, or no file. The key is not shown to the media host."""
        part = file.with_name(file.name + ".part")
        self._patiently(self._save, generation.video_url or "", part)
        part.replace(file)

    def make_webhook(self, url: str) -> WebhookEndpoint:
        """Have events sent to a URL. Not asked again: a second endpoint would get them all too."""
        events = ["generation.succeeded", "generation.failed"]
        body = self._ask("POST", "/webhooks", {"url": url, "event_types": events})
        return WebhookEndpoint(body["id"], body["signing_secret"])

    def _ask(
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
