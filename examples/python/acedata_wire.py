"""Ace Data Cloud's requests and answers as Python values. No I/O; both clients use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
from client_common import NotSent, Refused, TooManyRequests, Unavailable, VideoError

API_URL = "https://api.acedata.cloud"
TIMEOUT = httpx2.Timeout(30)
HELD_OPEN = httpx2.Timeout(30, read=1800)
"""For a request that is answered when the video is finished, after minutes."""


class MaybeCharged(VideoError):
    """An order has no answer, or a 5xx. It is unknown whether it was accepted.

    Ace Data Cloud has no idempotency key: a second order may be charged again. An accepted order
    still has its callback, so a `callback_url` with a name of the order returns the task's id.
    """


class UsedUp(Refused):
    """The balance is used. A retry does not help."""


class TaskFailed(VideoError):
    """The video was not made."""


REFUSALS: Mapping[str, type[Refused]] = {
    "used_up": UsedUp,
    "too_many_requests": TooManyRequests,
}
FREE_TO_REPEAT = (TooManyRequests, Unavailable)
"""Errors after which a request that costs nothing is repeated."""

SAFE_TO_REPEAT = (TooManyRequests, NotSent)
"""Errors after which an order is repeated: it was not accepted."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task at the time of the answer. video_url: None until it has succeeded."""

    id: str
    state: Literal["running", "succeeded", "failed"]
    video_url: str | None = None
    failure: str | None = None


def order_body(
    prompt: str, first_image_url: str | None, **more: str | bool | None
) -> dict[str, str | bool]:
    """The body of an order, without the fields that are None."""
    model = "minimax-t2v" if first_image_url is None else "minimax-i2v"
    named = {"action": "generate", "model": model, "prompt": prompt}
    fields = named | {"first_image_url": first_image_url} | more
    return {name: value for name, value in fields.items() if value is not None}


def read_task_id(body: Any) -> str:
    """The id in the answer to an order. Raises Unavailable if there is none."""
    task_id = body.get("task_id")
    if not isinstance(task_id, str):
        raise Unavailable("the answer has no task id")
    return task_id


def read_outcome(task_id: str, outcome: Any) -> Task:
    """The task in a held-open answer, a callback, or the `response` of a task object."""
    outcome = outcome or {}
    if outcome.get("success") is True and outcome.get("data"):
        return Task(task_id, "succeeded", video_url=outcome["data"][0]["video_url"])
    if outcome.get("success") is False:
        error = outcome.get("error") or {}
        return Task(task_id, "failed", failure=error.get("message"))
    return Task(task_id, "running")


def is_ready(task: Task) -> bool:
    """Whether the video can be downloaded. Raises TaskFailed if the task failed."""
    if task.state == "failed":
        raise TaskFailed(f"{task.id}: {task.failure or 'no reason was given'}")
    return task.state == "succeeded"


def poll_pauses_s(max_wait_s: float) -> Iterator[float]:
    """The pause before each poll, as Ace Data Cloud advises: 5 s, then longer, up to 30 s."""
    waited_s, pause_s = 0.0, 5.0
    while waited_s < max_wait_s:
        yield pause_s
        waited_s += pause_s
        pause_s = min(30.0, pause_s * 1.5)
