"""What Ace Data Cloud answers about Hailuo videos, as values and errors. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from back_off import retry_after_s

API_URL = "https://api.acedata.cloud"
TIMEOUT = httpx2.Timeout(30)
HELD_OPEN = httpx2.Timeout(30, read=1800)
"""A held-open request is answered when the video is there, after minutes."""


class AceDataError(Exception):
    """Whatever goes wrong with Ace Data Cloud."""


class Unavailable(AceDataError):
    """No answer, or none that can be read."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotSent(Unavailable):
    """Nobody was there to take the request: it is safe to send again."""


class MaybeCharged(AceDataError):
    """An order got no answer, or a 5xx; nobody can tell from that whether it was taken.

    There is no idempotency key: ordering again may pay twice. The callback of an order that was
    taken comes all the same, so a `callback_url` with the order's name in it brings the task's id.
    """


class Refused(AceDataError):
    """Ace Data Cloud said no. trace_id: what its support asks for."""

    def __init__(self, status: int, code: str, message: str, trace_id: str) -> None:
        super().__init__(f"{code}: {message} ({trace_id})")
        self.status, self.code, self.trace_id = status, code, trace_id


class UsedUp(Refused):
    """The balance is exhausted. Asking again does not help."""


class TooManyRequests(Refused):
    """Too many at once. retry_after_s: None if the answer did not say when to come back."""

    retry_after_s: float | None = None


class TaskFailed(AceDataError):
    """The video was not made."""


class StillRunning(AceDataError):
    """The task did not end in time. It goes on."""


class DownloadRefused(AceDataError):
    """The video is not, or no longer, where it should be."""


FREE_TO_REPEAT = (TooManyRequests, Unavailable)
"""What is worth asking again when asking costs nothing."""

SAFE_TO_REPEAT = (TooManyRequests, NotSent)
"""What is worth asking again when asking twice may pay twice: nothing was taken."""

_KINDS: dict[str, type[Refused]] = {
    "used_up": UsedUp,
    "too_many_requests": TooManyRequests,
}


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it was when it was asked for. video_url: as soon as there is one."""

    id: str
    state: Literal["running", "succeeded", "failed"]
    video_url: str | None = None
    failure: str | None = None


def order_body(
    prompt: str, first_image_url: str | None, **more: str | bool | None
) -> dict[str, str | bool]:
    """What orders a video. What is None is left out."""
    model = "minimax-t2v" if first_image_url is None else "minimax-i2v"
    named = {"action": "generate", "model": model, "prompt": prompt}
    fields = named | {"first_image_url": first_image_url} | more
    return {name: value for name, value in fields.items() if value is not None}


def read_answer(response: httpx2.Response) -> Any:
    """The JSON of an answer. Raises Refused, and Unavailable for what a proxy may have said."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, dict):
        return body
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        raise Unavailable(f"status {response.status_code} and nothing that can be read")
    code, message, trace_id = str(error.get("code")), str(error.get("message")), body["trace_id"]
    wait_s = retry_after_s(response.headers)
    if response.status_code >= 500:
        raise Unavailable(f"{code}: {message} ({trace_id})", wait_s)
    refused = _KINDS.get(code, Refused)(response.status_code, code, message, trace_id)
    if isinstance(refused, TooManyRequests):
        refused.retry_after_s = wait_s
    raise refused


def read_task_id(body: Any) -> str:
    """The id in the answer to an order. Raises Unavailable if there is none."""
    task_id = body.get("task_id")
    if not isinstance(task_id, str):
        raise Unavailable("the answer names no task")
    return task_id


def read_outcome(task_id: str, outcome: Any) -> Task:
    """What became of a task: a held-open answer, a callback, the `response` of a task object."""
    outcome = outcome or {}
    if outcome.get("success") is True and outcome.get("data"):
        return Task(task_id, "succeeded", video_url=outcome["data"][0]["video_url"])
    if outcome.get("success") is False:
        error = outcome.get("error") or {}
        return Task(task_id, "failed", failure=error.get("message"))
    return Task(task_id, "running")


def is_ready(task: Task) -> bool:
    """Whether the video can be fetched. Raises TaskFailed if it never can."""
    if task.state == "failed":
        raise TaskFailed(f"{task.id}: {task.failure or 'no reason was given'}")
    return task.state == "succeeded"


def poll_pauses_s(max_wait_s: float) -> Iterator[float]:
    """The pauses before each look, as Ace Data Cloud advises: 5 s, then ever slower up to 30 s."""
    waited_s, pause_s = 0.0, 5.0
    while waited_s < max_wait_s:
        yield pause_s
        waited_s += pause_s
        pause_s = min(30.0, pause_s * 1.5)
