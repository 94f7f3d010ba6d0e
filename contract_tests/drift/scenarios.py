"""Recorded answers as scenarios: the fake gives them again to whoever asks for one by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from contract_tests.conformance import api_of
from contract_tests.drift.recording import Recorded, Recording

OPERATIONS: Mapping[str, str] = {
    "createGeneration": "create",
    "getGeneration": "read",
    "listModels": "models",
    "uploadFile": "upload",
    "getFile": "read_file",
    "getCredits": "credits",
    "listWebhooks": "webhooks",
    "createWebhook": "webhooks",
    "getWebhook": "webhooks",
    "updateWebhook": "webhooks",
    "deleteWebhook": "webhooks",
    "rotateWebhookSecret": "webhooks",
    "listWebhookDeliveries": "webhooks",
    "testWebhook": "webhooks",
    "listWebhookEvents": "webhooks",
    "createVideo": "create",
    "queryTasks": "read",
}
"""What a scenario calls each operation of the contract."""


def write(recording: Recording, folder: Path) -> list[Path]:
    """One file for each kind of answer that was recorded, the first of its kind; the paths.

    Raises OSError if the folder does not take them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for recorded in recording.exchanges:
        name = _name(recorded)
        if name not in written:
            written[name] = folder / f"{name}.toml"
            written[name].write_text(tomli_w.dumps(_scenario(recorded)), "utf-8")
    return list(written.values())


def _name(recorded: Recorded) -> str:
    """`recorded_createGeneration_402_insufficient_credits`, in letters that a prompt can hold."""
    parts = ("recorded", *(part for part in recorded.kind if part is not None))
    return re.sub(r"\W", "_", "_".join(map(str, parts)), flags=re.ASCII)


def _scenario(recorded: Recorded) -> dict[str, Any]:
    """The fault recites: whatever the rules would have said, nothing happens in the world."""
    api = api_of(recorded.path)
    headers = {name: value for name, value in recorded.headers.items() if name != "content-type"}
    effect = {
        "type": "answer",
        "status": recorded.status,
        "content_type": recorded.headers.get("content-type", "application/octet-stream"),
        "body": "" if recorded.answer is None else json.dumps(recorded.answer, ensure_ascii=False),
        "headers": headers,
    }
    code = "" if recorded.code is None else f" {recorded.code}"
    return {
        "shows": f"{recorded.operation} is answered {recorded.status}{code}, as it was recorded.",
        "apis": [api],
        "faults": [
            {"match": {"api": api, "operation": OPERATIONS[recorded.operation]}, "effect": effect}
        ],
    }
