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
from contract_tests.drift.shape import places

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

_LONGEST_WORD = 60
_STATES = frozenset({"status", "state"})
_SENDABLE = re.compile(r"[\x20-\x7E]*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def write(recording: Recording, folder: Path) -> list[Path]:
    """One file for each answer that was recorded; the paths.

    Left out is what no fault can answer: `can_be_given_again`. Raises OSError if the folder does
    not take the files.
    """
    scenarios: dict[str, Recorded] = {}
    for recorded in filter(can_be_given_again, recording.exchanges):
        scenarios[_free(_name(recorded), scenarios)] = recorded
    texts = {folder / f"{name}.toml": _text(recorded) for name, recorded in scenarios.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        file.write_text(text, "utf-8")
    return list(texts)


def can_be_given_again(recorded: Recorded) -> bool:
    """Whether a fault could answer just this.

    An answer to HEAD has no body to give to GET. A status or a header that HTTP does not know is
    none that the fake sends.
    """
    return (
        recorded.operation in OPERATIONS
        and api_of(recorded.path) is not None
        and recorded.method != "HEAD"
        and 200 <= recorded.status <= 599
        and all(_SENDABLE.fullmatch(value) for value in recorded.headers.values())
    )


def _name(recorded: Recorded) -> str:
    """`recorded_createGeneration_402_insufficient_credits`, in letters that a prompt can hold."""
    parts = ("recorded", recorded.operation, str(recorded.status), _word(recorded))
    return re.sub(r"\W", "_", "_".join(filter(None, parts)), flags=re.ASCII)


def _word(recorded: Recorded) -> str:
    """What tells answers of one status apart: the error's code, else the state that it tells."""
    if recorded.code is not None:
        return recorded.code[:_LONGEST_WORD]
    states = {
        value
        for place, value in places(recorded.answer)
        if place.rpartition(".")[2] in _STATES and isinstance(value, str)
    }
    return states.pop()[:_LONGEST_WORD] if len(states) == 1 else ""


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with a number from the second of that name on, also where case does not count."""
    known = {each.casefold() for each in taken}
    number, free = 1, name
    while free.casefold() in known:
        number += 1
        free = f"{name}_{number}"
    return free


def _text(recorded: Recorded) -> str:
    """The scenario's file. The fault recites: nothing happens in the world."""
    operation, body = OPERATIONS[recorded.operation], _body(recorded)
    effect: dict[str, Any] = {"type": "answer", "status": recorded.status}
    if "content-type" not in recorded.headers:
        effect["content_type"] = "application/octet-stream"
    # Among the headers the type stays as it was; elsewhere a text is told its charset.
    effect |= {"body": body, "headers": dict(recorded.headers)}
    word = ascii(_word(recorded))[1:-1]
    answered = f"{recorded.status} {word}".strip()
    shows = f"{recorded.operation} is answered {answered}, as it was recorded."
    if operation == "webhooks":
        shows += " So is whatever else is asked about webhooks."
    scenario = {
        "shows": shows,
        "apis": [api_of(recorded.path)],
        "faults": [{"match": {"operation": operation}, "effect": effect}],
    }
    # A text of several lines would lose the returns at their ends.
    return tomli_w.dumps(scenario, multiline_strings="\r" not in body)


def _body(recorded: Recorded) -> str:
    """The answer's body, JSON in lines that people can read and change."""
    if recorded.answer is None:
        return recorded.text
    body = json.dumps(recorded.answer, ensure_ascii=False, indent=2)
    # JSON can spell half a character, a file cannot hold it.
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", body)
