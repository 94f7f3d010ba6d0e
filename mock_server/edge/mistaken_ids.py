"""What an id is that was sent where another kind of id belongs."""

from __future__ import annotations

import re
from typing import TypeVar

from mock_server.core.refusals import Refusal
from mock_server.core.suggestions import UNSET

R = TypeVar("R", bound=Refusal)

TASK, FILE, ENDPOINT, ACEDATA_TASK = "task_", "file_", "whend_", "uuid"

_KINDS = {
    TASK: "one of Rivya's generations: GET /api/v1/generations/{id} shows it",
    FILE: "a file: GET /api/v1/files/{id} shows it",
    ENDPOINT: "a webhook endpoint: GET /api/v1/webhooks/{id} shows it",
    ACEDATA_TASK: "one of Ace Data Cloud's tasks or traces: POST /hailuo/tasks shows a task",
    "evt_": "an event: GET /api/v1/webhook-events lists them",
    "whdel_": "a webhook delivery: GET /api/v1/webhooks/{id}/deliveries lists them",
    "delivery_": "a delivery of the control door: GET /_mock/worlds/{world}/deliveries/{id}",
    "req_": "a request: GET /_mock/explain/{id} explains it",
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{.*\}|<.*>|\$\{?\w+\}?|:\w+|%7b.*%7d", re.IGNORECASE)


def told(refusal: R, given: str, wanted: str) -> R:
    """The same refusal of an unknown id; its sentence says what the id looks like instead.

    wanted: the kind that belongs there.
    """
    hint = _hint(given[:100], wanted)
    return refusal if hint is None else type(refusal)(f"{refusal}; {hint}")


def _hint(given: str, wanted: str) -> str | None:
    if given.lower() in UNSET:
        return f"'{given.lower()}' is no id: a variable was not set"
    if _TEMPLATE.fullmatch(given):
        return "that is the place for an id: something was to be put there"
    kind = _kind_of(given)
    if kind is not None and kind != wanted:
        return f"that is the id of {_KINDS[kind]}"
    return None


def _kind_of(given: str) -> str | None:
    if _UUID.fullmatch(given):
        return ACEDATA_TASK
    return next((prefix for prefix in _KINDS if given.startswith(prefix)), None)
