"""What Rivya answers, as values and errors. No I/O; both clients share it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from back_off import retry_after_s

API_URL = "https://rivya.ai"
TIMEOUT = httpx2.Timeout(30)


class RivyaError(Exception):
    """Whatever goes wrong with Rivya."""


class Unavailable(RivyaError):
    """No answer, or none that can be read. What was asked may have happened all the same."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(RivyaError):
    """Rivya said no. code: its contract; request_id: what its support asks for."""

    def __init__(self, status: int, code: str, message: str, request_id: str) -> None:
        super().__init__(f"{code}: {message} ({request_id})")
        self.status, self.code, self.request_id = status, code, request_id


class InsufficientCredits(Refused):
    """The balance is below the price. Asking again does not help."""


class IdempotencyConflict(Refused):
    """The key was used for another order. Asking again does not help."""


class RateLimited(Refused):
    """Too many requests. retry_after_s: None if Rivya did not say when to come back."""

    retry_after_s: float | None = None


class GenerationFailed(RivyaError):
    """The video was not made; its credits have been given back."""


class StillRunning(RivyaError):
    """The generation did not end in time. It goes on, and so does its reservation."""


class DownloadRefused(RivyaError):
    """The video is not, or no longer, where it should be."""


REPEATABLE = (RateLimited, Unavailable)
"""What is worth asking again, if asking twice does no harm."""

_KINDS: dict[str, type[Refused]] = {
    "insufficient_credits": InsufficientCredits,
    "idempotency_conflict": IdempotencyConflict,
    "rate_limited": RateLimited,
}


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as it was when it was asked for. video_url: as soon as there is one."""

    id: str
    status: str
    model: str
    reserved_credits: int
    final_credits: int
    video_url: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where events go. secret: what they are signed with; it is shown this once."""

    id: str
    secret: str


def new_key() -> str:
    """An Idempotency-Key for an order that has no number of its own."""
    return str(uuid.uuid4())


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
    code, message = str(error.get("code")), str(error.get("message"))
    wait_s = retry_after_s(response.headers)
    if response.status_code >= 500:
        raise Unavailable(f"{code}: {message} ({error.get('requestId')})", wait_s)
    kind = _KINDS.get(code, Refused)
    refused = kind(response.status_code, code, message, str(error.get("requestId")))
    if isinstance(refused, RateLimited):
        refused.retry_after_s = wait_s
    raise refused


def read_generation(body: Any) -> Generation:
    """A generation from an answer or an event. Raises Unavailable if it is none."""
    try:
        return Generation(
            id=body["id"],
            status=body["status"],
            model=body["model"],
            reserved_credits=body["reserved_credits"],
            final_credits=body["final_credits"],
            video_url=(body["result"] or {}).get("primary_url"),
            failure=(body["error"] or {}).get("message"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise Unavailable(f"no generation can be read from the answer: {error!r}") from None


def is_ready(generation: Generation) -> bool:
    """Whether the video can be fetched. Raises GenerationFailed if it never can."""
    if generation.status == "failed":
        raise GenerationFailed(f"{generation.id}: {generation.failure or 'no reason was given'}")
    return generation.status == "succeeded" and generation.video_url is not None


def poll_pauses_s(max_wait_s: float) -> Iterator[float]:
    """The pauses before each look, as Rivya advises: 2.5 s, 5 s, then ever slower up to 10 s."""
    waited_s, pause_s = 0.0, 2.5
    while waited_s < max_wait_s:
        yield pause_s
        waited_s += pause_s
        pause_s = min(10.0, max(5.0, pause_s * 1.2))
