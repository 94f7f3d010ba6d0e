"""Rivya's requests and answers as Python values. No I/O; both clients use it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from client_common import Refused, TooManyRequests, Unavailable, VideoError

API_URL = "https://rivya.ai"
TIMEOUT = httpx2.Timeout(30)


class InsufficientCredits(Refused):
    """The balance is below the price. A retry does not help."""


class IdempotencyConflict(Refused):
    """The Idempotency-Key was used for another order. A retry does not help."""


class GenerationFailed(VideoError):
    """The generation failed. Its credits have been refunded."""


REFUSALS: Mapping[str, type[Refused]] = {
    "insufficient_credits": InsufficientCredits,
    "idempotency_conflict": IdempotencyConflict,
    "rate_limited": TooManyRequests,
}
REPEATABLE = (TooManyRequests, Unavailable)
"""Errors after which a request is repeated, if that is safe."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation at the time of the answer. video_url: None until it has succeeded."""

    id: str
    status: str
    model: str
    reserved_credits: int
    final_credits: int
    video_url: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A new endpoint. secret: the secret of its signatures, which only this answer has."""

    id: str
    secret: str


def create_request(
    prompt: str, model: str, params: dict[str, Any] | None, order: str | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The body and the headers of a create. order: None makes a new Idempotency-Key."""
    body: dict[str, Any] = {"model": model, "prompt": prompt}
    if params is not None:
        body["params"] = params
    return body, {"Idempotency-Key": str(uuid.uuid4()) if order is None else order}


def webhook_request(url: str) -> dict[str, Any]:
    """The body of a create of an endpoint for all events."""
    return {"url": url, "event_types": ["generation.succeeded", "generation.failed"]}


def read_generation(body: Any) -> Generation:
    """The generation in an answer or an event. Raises Unavailable if there is none."""
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
        raise Unavailable(f"the answer has no generation: {error!r}") from None


def is_ready(generation: Generation) -> bool:
    """Whether the video can be downloaded. Raises GenerationFailed if the generation failed."""
    if generation.status == "failed":
        raise GenerationFailed(f"{generation.id}: {generation.failure or 'no reason was given'}")
    return generation.status == "succeeded" and generation.video_url is not None


def poll_pauses_s(max_wait_s: float) -> Iterator[float]:
    """The pause before each poll, as Rivya advises: 2.5 s, 5 s, then longer, up to 10 s."""
    waited_s, pause_s = 0.0, 2.5
    while waited_s < max_wait_s:
        yield pause_s
        waited_s += pause_s
        pause_s = min(10.0, max(5.0, pause_s * 1.2))
