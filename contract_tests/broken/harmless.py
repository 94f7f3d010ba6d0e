"""Servers that differ from the fake only where the contract allows it. The suite finds nothing."""

from __future__ import annotations

from typing import Any

from contract_tests.broken.broken_server import Answer, BrokenServer, Delivery
from contract_tests.conformance import api_of
from contract_tests.contract import APIS

_CLOSED = ("task_id",)
"""The names of an object that the document closes: an accepted video."""


def _add_fields(answer: Answer) -> None:
    """Add unknown fields to each object of an answer, with other values in each answer."""
    if api_of(answer.sent.path) is None or answer.sent.path.endswith("/openapi.json"):
        return
    answer.memory["answers"] = answer.memory.get("answers", 0) + 1
    answer.json = _with_fields(answer.json, answer.memory["answers"])
    answer.headers["x-served-by"] = f"node-{answer.memory['answers']}"


def _with_fields(value: Any, number: int, name: str = "") -> Any:
    if isinstance(value, list):
        return [_with_fields(item, number) for item in value]
    if not isinstance(value, dict) or name == "request":  # the request is as it was sent
        return value
    inner = {key: _with_fields(each, number, key) for key, each in value.items()}
    if tuple(value) == _CLOSED or (name == "response" and not value):
        return inner
    return {"x_first": number} | inner | {"x_more": {"served": [number, None]}, "x_none": None}


def _add_to_event(delivery: Delivery) -> None:
    if "rivya-signature" not in delivery.headers:
        delivery.json = _with_fields(delivery.json, len(delivery.body))


HARMLESS_SERVERS = tuple(
    server
    for api in APIS
    for server in (
        BrokenServer("unchanged", api, ""),
        BrokenServer("more-fields", api, "", on_answer=_add_fields, on_delivery=_add_to_event),
    )
)
