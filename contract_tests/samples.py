"""Makes a valid body for each request schema. Checks send it with changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract_tests.contract import Api, contract
from contract_tests.mutations import Mutations

_IMAGE = "https://cdn.example.com/first.png"
_UNKNOWN_TASK = "00000000-0000-4000-8000-000000000000"


def _schemas(title: str) -> Iterator[Any]:
    """The schema of a component, or each branch of its anyOf."""
    schema = contract().document["components"]["schemas"][title]
    yield from schema.get("anyOf", [schema])


def _generation(model: str) -> dict[str, Any]:
    entry = next(each for each in contract().models("rivya") if each["id"] == model)
    options = {param["key"]: param["default"] for param in entry["params"]}
    reference = {"url": _IMAGE, "kind": "image", "name": "a.png", "mimeType": "image/png"}
    duration = {"durationSeconds": 1.5, "durationToken": "token"}
    return {
        "model": model,
        "prompt": "Paper boats on a pond",
        "params": options | {"referenceMediaItems": [reference | duration]},
        "client_request_id": "shot-0042",
    }


def _video(model: str) -> dict[str, Any]:
    return {
        "action": "generate",
        "model": model,
        "prompt": "Paper boats on a pond",
        "first_image_url": _IMAGE,
        "callback_url": "http://127.0.0.1:9/callback",
        "async": True,
    }


@dataclass(frozen=True)
class Sample:
    """A valid body, its schema, and the path it is sent to."""

    api: Api
    path: str
    schema: Any
    body: Any

    def mutations(self) -> Mutations:
        """The changes of the body."""
        return Mutations(contract(), self.api, self.schema, self.body)


_ENDPOINT = {
    "name": "Render farm",
    "url": "https://hooks.example.com/rivya",
    "event_types": ["generation.succeeded", "generation.failed"],
}
_ONE = {"action": "retrieve", "id": _UNKNOWN_TASK}
_SEVERAL = {"action": "retrieve_batch", "ids": [_UNKNOWN_TASK]}


def _samples() -> Iterator[Sample]:
    for schema in _schemas("GenerationRequest"):
        yield Sample("rivya", "/generations", schema, _generation(schema["title"].split()[1]))
    for schema in _schemas("WebhookCreate"):
        yield Sample("rivya", "/webhooks", schema, _ENDPOINT)
    for schema in _schemas("VideoRequest"):
        yield Sample("acedata", "/videos", schema, _video(schema["title"].split()[1]))
    for schema in _schemas("TaskQuery"):
        for body in (_ONE, _SEVERAL):
            yield Sample("acedata", "/tasks", schema, body)


SAMPLES = tuple(_samples())
