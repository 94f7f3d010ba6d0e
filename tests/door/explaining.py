"""Asks the control door why a request was answered as it was."""

from __future__ import annotations

from typing import Any

from tests.asgi import Answer
from tests.mock import KEY, Mock

JSON = {"content-type": "application/json"}
CREATE = "/api/v1/generations"
BEARER = {"authorization": f"Bearer {KEY}"}
ERROR_BEFORE = {"type": "answer", "status": 599, "when": "before"}
ERROR_AFTER = {"type": "answer", "status": 599, "when": "after"}


def explain(mock: Mock, answer: Answer) -> dict[str, Any]:
    """The explanation of the request with this answer."""
    return explain_id(mock, answer.headers["mock-request"])


def explain_id(mock: Mock, request_id: str) -> dict[str, Any]:
    told = mock.request("GET", f"/_mock/explain/{request_id}")
    assert told.status == 200, told.body
    found: dict[str, Any] = told.json()
    assert found["request"] == request_id
    return found
