"""Parts that the clients of both APIs share: errors, reading answers, retries, downloads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

ATTEMPTS = 5
"""The maximum number of times that a request is sent."""

LONGEST_PAUSE_S = 120.0
"""A longer wait is not waited for: the error is raised, with the wait in `retry_after_s`."""

_EXPONENTIAL_WAIT_S = wait_exponential_jitter(initial=1, max=30)


class VideoError(Exception):
    """Any error of these clients. retry_after_s: the wait that the answer asks for, if any."""

    retry_after_s: float | None = None


class Unavailable(VideoError):
    """There is no answer, or none that can be read. The request may have been handled."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotSent(Unavailable):
    """No server accepted the connection. It is safe to send the request again."""


class Refused(VideoError):
    """The API refused the request. request_id: the id that the vendor's support needs."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        super().__init__(f"{code}: {message} ({request_id})")
        self.status, self.code, self.request_id = status, code, request_id


class TooManyRequests(Refused):
    """The rate limit is reached."""


class StillRunning(VideoError):
    """The video was not finished in time. The API continues to work on it."""


class DownloadRefused(VideoError):
    """There is no video at the URL, or no longer."""


def read_answer(response: httpx2.Response, refusals: Mapping[str, type[Refused]]) -> Any:
    """The JSON object of an answer. Raises Refused; Unavailable if the API itself failed.

    refusals: the error to raise for each code; Refused for any other code.
    """
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, dict):
        return body
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(error, dict):
        raise Unavailable(f"the answer with status {response.status_code} cannot be read")
    code, message = str(error.get("code")), str(error.get("message"))
    request_id = str(error.get("requestId") or body.get("trace_id"))
    wait_s = retry_after_s(response.headers)
    if response.status_code >= 500:
        raise Unavailable(f"{code}: {message} ({request_id})", wait_s)
    refused = refusals.get(code, Refused)(response.status_code, code, message, request_id)
    refused.retry_after_s = wait_s
    raise refused


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The seconds in `Retry-After`, or until the date in it."""
    value = headers.get("retry-after", "")
    if value.isdecimal():
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - datetime.now(UTC)
    except (TypeError, ValueError):  # no date; TypeError: one without a time zone
        return None
    return max(0.0, wait.total_seconds())


def _pause_s(state: RetryCallState) -> float:
    """The wait that the error asks for, or 1, 2, 4 … s plus up to 1 s at random."""
    error = None if state.outcome is None else state.outcome.exception()
    wait_s: float | None = getattr(error, "retry_after_s", None)
    return _EXPONENTIAL_WAIT_S(state) if wait_s is None else wait_s


def retrying(errors: tuple[type[Exception], ...], sleep: Callable[[float], None]) -> Retrying:
    """Calls a function again while it raises one of these errors."""
    return Retrying(**_retry_options(errors), sleep=sleep)


def async_retrying(
    errors: tuple[type[Exception], ...], sleep: Callable[[float], Awaitable[None]]
) -> AsyncRetrying:
    """The same for coroutines. Each call needs an object of its own."""
    return AsyncRetrying(**_retry_options(errors), sleep=sleep)


def _retry_options(errors: tuple[type[Exception], ...]) -> dict[str, Any]:
    def is_repeatable(error: BaseException) -> bool:
        return isinstance(error, errors) and not _waits_too_long(error)

    return {
        "retry": retry_if_exception(is_repeatable),
        "wait": _pause_s,
        "stop": stop_after_attempt(ATTEMPTS),
        "reraise": True,
    }


def _waits_too_long(error: BaseException) -> bool:
    wait_s: float | None = getattr(error, "retry_after_s", None)
    return wait_s is not None and wait_s > LONGEST_PAUSE_S


def save(http: httpx2.Client, url: str, file: Path) -> None:
    """Download a video to a file. The request has no key."""
    try:
        with http.stream("GET", url) as response, file.open("wb") as out:
            _require_video(response, url)
            for chunk in response.iter_bytes():
                out.write(chunk)
    except httpx2.TransportError as error:
        raise Unavailable(f"the download of {url} was interrupted: {error}") from error


async def async_save(http: httpx2.AsyncClient, url: str, file: anyio.Path) -> None:
    """Download a video to a file. The request has no key."""
    try:
        async with http.stream("GET", url) as response, await file.open("wb") as out:
            _require_video(response, url)
            async for chunk in response.aiter_bytes():
                await out.write(chunk)
    except httpx2.TransportError as error:
        raise Unavailable(f"the download of {url} was interrupted: {error}") from error


def _require_video(response: httpx2.Response, url: str) -> None:
    if response.status_code != 200:
        raise DownloadRefused(f"status {response.status_code} at {url}")
