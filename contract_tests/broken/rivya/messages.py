"""The requests, answers and events of Rivya, for broken servers that change them."""

from __future__ import annotations

from typing import Any

from contract_tests.broken.broken_server import Answer, BrokenServers, Delivery, SentRequest

BROKEN = BrokenServers("rivya")
add, edit, on_answer = BROKEN.add, BROKEN.edit, BROKEN.on_answer
on_request, on_body, on_delivery = BROKEN.on_request, BROKEN.on_body, BROKEN.on_delivery

ANY = r"\w+ /api/v1/.*"
CREATE = r"POST /api/v1/generations"
READ = r"GET /api/v1/generations/[^/]+"
GENERATION = f"{CREATE}|{READ}"
CREDITS = r"GET /api/v1/credits"
UPLOAD = r"POST /api/v1/files"
FILES = r"(POST|GET) /api/v1/files(/.*)?"
ENDPOINTS = r"\w+ /api/v1/webhooks(/[^/]+)?"
ENDPOINT = r"/api/v1/webhooks/[^/]+"
OWN_KEY, SECOND_KEY = "rvya_sk_test", "rvya_sk_second"


def key_of(sent: SentRequest) -> str:
    """The Idempotency-Key of a request, or "" without one."""
    return sent.headers.get("idempotency-key", "")


def params_of(sent: SentRequest) -> dict[str, Any]:
    """The options of a create, or {} without any."""
    body = sent.json
    params = body.get("params") if isinstance(body, dict) else None
    return params if isinstance(params, dict) else {}


def is_created(answer: Answer) -> bool:
    """Whether something was created."""
    return answer.sent.method == "POST" and answer.status == 200


def has_succeeded(shown: Any) -> bool:
    """Whether the object is a generation that succeeded."""
    return bool(shown.get("status") == "succeeded")


def has_failed(shown: Any) -> bool:
    """Whether the object is a generation that failed."""
    return bool(shown.get("status") == "failed")


def is_running(shown: Any) -> bool:
    """Whether the object is a generation that has not ended."""
    return shown.get("status") in {"queued", "processing"}


def refuse(answer: Answer, code: str = "validation_failed", status: int = 400) -> None:
    """Replace an answer by an error."""
    answer.status = status
    answer.json = {"error": {"code": code, "message": "no", "requestId": "req_1"}}


def change_balance(answer: Answer, credits: int) -> None:
    """Add credits to the balance that an answer shows."""
    if answer.sent.path.endswith("/credits") and answer.status == 200:
        shown = answer.json
        shown["current_credits"] += credits
        answer.json = shown


def is_event(delivery: Delivery) -> bool:
    """Whether the delivery is an event of a webhook, not a callback."""
    return b"api_version" in delivery.body
