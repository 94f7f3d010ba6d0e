"""A world with one of everything that a world can hold."""

from __future__ import annotations

import json
from typing import Any

from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, VIDEO, Mock

WORLD = "/_mock/worlds/default"
INBOX = "http://mock.test/_mock/inbox/default/hook"
ANSWERED = "http://127.0.0.1:9/hook"
JSON = {"content-type": "application/json"}
SECRET = "callback-hush"
SETTINGS: dict[str, Any] = {
    "rivya__rate_limit": 1000,
    "acedata__callback_waits_s": [60],
    "rivya__webhook_waits_s": [60],
    "rivya__rotation_overlap_s": 3600,
    "scenario": "result_missing",
}
"""Nothing is ever sent: only this machine may be called, and there faults answer in its place."""


def door(mock: Mock, method: str, path: str, body: Any = None) -> Answer:
    """A request to a route of the default world, which must succeed."""
    raw = b"" if body is None else json.dumps(body).encode()
    answer = mock.request(method, WORLD + path, headers={} if body is None else JSON, body=raw)
    assert answer.status < 300, answer.body
    return answer


def live_in(mock: Mock) -> None:
    """Tasks of both APIs in every state, deliveries in every state, faults of every kind, files,
    endpoints, inboxes, keys, counted requests, and a journal of it all."""
    _endpoints(mock)
    _faults(mock)
    _files(mock)
    _ended(mock)
    _under_way(mock)
    _inboxes(mock)
    for headers in ({"mock-scenario": "rate_limited"}, {"prefer": "code=402"}):
        mock.rivya("GET", "/credits", headers=headers)
    mock.rivya("GET", "/credits", key=f"{KEY}+insufficient_credits")
    mock.rivya("POST", "/generations", {"model": "none"})
    ada = {"name": "ada", "credits": 0, "keys": KEYS, "in_flight": 4}
    door(mock, "POST", "/accounts", ada)


KEYS = [
    {"key": "ada-1", "api": "rivya", "expires_at": "2026-06-01T00:00:00Z", "in_flight": 3},
    {"key": "ada-2", "api": "acedata", "revoked": True, "scopes": ["files:read"]},
    {"key": "ada-3", "api": "other", "disabled": True, "rate_limit": 3},
]


def _endpoints(mock: Mock) -> None:
    for number, status in enumerate(["active", "active", "disabled", None]):
        hook = {"url": f"https://hooks.test/{number}", "event_types": ["generation.succeeded"]}
        made = mock.rivya("POST", "/webhooks", hook | {"name": f"hook {number}"}).json()
        if status == "disabled":
            mock.rivya("PATCH", f"/webhooks/{made['id']}", {"status": status})
        elif status is None:
            mock.rivya("DELETE", f"/webhooks/{made['id']}")
    mock.rivya("POST", f"/webhooks/{made['id']}/rotate-secret")


def _faults(mock: Mock) -> None:
    later = {"skip": 10**6}
    effects: list[dict[str, Any]] = [
        {"type": "error", "code": "rate_limited", "message": "no", "retry_after_s": 3},
        {"type": "answer", "status": 502, "body": "<p>", "headers": {"X-A": "b"}},
        {"type": "answer", "status": 503, "retry_after_s": 3, "retry_after_as": "date"},
        {"type": "connection", "how": "hang", "after_bytes": 3},
        {"type": "delay", "uniform_s": [1, 2]},
        {"type": "delay", "lognormal_s": [1, 2], "when": "after"},
        {"type": "body", "set": {"/a": {"b": [1]}}, "rename": {"/c": "d"}, "drop": ["/e"]},
        {"type": "task", "queued_s": 1, "processing_s": 2, "outcome": "failed"},
        {"type": "delivery", "late_s": 5, "extra_fields": {"f": [{}]}, "event_type": "x"},
        {"type": "delivery", "set": {"/f": [1]}, "reformatted": True},
        {"type": "delivery", "answer": {"status": 500, "retry_after_s": 2, "location": "/g"}},
    ]
    for effect in effects:
        door(mock, "POST", "/faults", {"effect": effect} | later)
    match = {"api": "rivya", "operation": "create", "account": "h", "model": "i", "prompt": "j+"}
    found = {"answer": {"/status": "succeeded"}, "headers": {"X-A": "k+", "Range": False}}
    error = {"type": "error", "code": "rate_limited", "when": "after"}
    door(mock, "POST", "/faults", {"effect": error, "match": match | found, "times": 2, "every": 3})


def _files(mock: Mock) -> None:
    mock.upload()
    mock.upload(b"\xff\xd8\xff\xe0" + b"\x00" * 60, name="b.jpg")


def _ended(mock: Mock) -> None:
    """Tasks that have ended, and deliveries in every state."""
    for status in (200, 500):
        effect = {"type": "delivery", "answer": {"status": status}}
        door(mock, "POST", "/faults", {"effect": effect, "times": 1})
        mock.acedata("/videos", VIDEO | {"callback_url": ANSWERED, "callback_secret": SECRET})
        advance(mock, 62)
    mock.create(prompt="mock:generation_failed of the first kind")
    mock.rivya("POST", "/generations", MINIMAL, headers={"idempotency-key": "once"})
    params = {"duration": "10", "resolution": "768P"}
    mock.create(params=params)
    advance(mock, 30)
    held = {"type": "delivery", "after_next": True}
    door(mock, "POST", "/faults", {"effect": held, "times": 1})
    mock.acedata("/videos", VIDEO | {"callback_url": f"{INBOX}-held"})
    late = {"type": "delivery", "late_s": 500}
    door(mock, "POST", "/faults", {"effect": late, "times": 2})
    mock.create()
    advance(mock, 2)


def _under_way(mock: Mock) -> None:
    """Tasks that have not ended."""
    mock.create(prompt="mock:stuck")
    advance(mock, 0.1)
    mock.acedata("/videos", VIDEO | {"async": True})
    mock.acedata("/videos", VIDEO | {"callback_url": INBOX, "callback_secret": SECRET})
    advance(mock, 0.5)
    mock.create(prompt="mock:fails_late")
    mock.rivya("POST", "/generations", MINIMAL, headers={"idempotency-key": "twice"})


def _inboxes(mock: Mock) -> None:
    answers = [{"status": 500, "times": 3, "headers": {"X-A": "b"}, "body": "no"}, {"hang": True}]
    door(mock, "PUT", "/inbox/hook", {"answers": answers})
    mock.request("POST", "/_mock/inbox/default/hook?a=b", headers={"x-c": "d"}, body=b"\xff{")
    mock.request("GET", "/_mock/inbox/default/other")


def advance(mock: Mock, seconds: float) -> None:
    """Move the clock, and let everything due happen."""
    door(mock, "POST", "/clock/advance", {"seconds": seconds})
