"""Writes recorded answers as scenarios, so that the fake can repeat them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from contract_tests.conformance import api_of
from contract_tests.drift.recording import RecordedExchange, Recording
from contract_tests.drift.shape import values_by_path

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
"""The name in scenarios of each operation of the contract."""

_LONGEST_WORD = 60
_STATES = frozenset({"status", "state"})
_SENDABLE = re.compile(r"[\x20-\x7E]*")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def write(recording: Recording, folder: Path) -> list[Path]:
    """Write one file for each recorded answer that a fault can repeat; the paths.

    Raises OSError if a file cannot be written.
    """
    scenarios: dict[str, RecordedExchange] = {}
    for recorded in filter(can_be_repeated, recording.exchanges):
        scenarios[_unused_name(_name(recorded), scenarios)] = recorded
    texts = {folder / f"{name}.toml": _text(recorded) for name, recorded in scenarios.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        file.write_text(text, "utf-8")
    return list(texts)


def can_be_repeated(recorded: RecordedExchange) -> bool:
    """Whether a fault can send this answer.

    An answer to HEAD has no body that GET could have. The fake sends no status and no header that
    HTTP does not allow.
    """
    return (
        recorded.operation in OPERATIONS
        and api_of(recorded.path) is not None
        and recorded.method != "HEAD"
        and 200 <= recorded.status <= 599
        and all(_SENDABLE.fullmatch(value) for value in recorded.headers.values())
    )


def _name(recorded: RecordedExchange) -> str:
    """The scenario's name, such as `recorded_createGeneration_402_insufficient_credits`."""
    parts = ("recorded", recorded.operation, str(recorded.status), _word(recorded))
    return re.sub(r"\W", "_", "_".join(filter(None, parts)), flags=re.ASCII)


def _word(recorded: RecordedExchange) -> str:
    """The error's code, or else the state in the answer: what differs in answers of one status."""
    if recorded.code is not None:
        return recorded.code[:_LONGEST_WORD]
    states = {
        value
        for place, value in values_by_path(recorded.answer)
        if place.rpartition(".")[2] in _STATES and isinstance(value, str)
    }
    return states.pop()[:_LONGEST_WORD] if len(states) == 1 else ""


def _unused_name(name: str, used: Mapping[str, Any]) -> str:
    """The name, with a number if a scenario has it. Upper and lower case are the same."""
    known = {each.casefold() for each in used}
    number, free = 1, name
    while free.casefold() in known:
        number += 1
        free = f"{name}_{number}"
    return free


def _text(recorded: RecordedExchange) -> str:
    """The text of the scenario's file. Its fault changes nothing in the world."""
    operation, body = OPERATIONS[recorded.operation], _body(recorded)
    effect: dict[str, Any] = {"type": "answer", "status": recorded.status}
    if "content-type" not in recorded.headers:
        effect["content_type"] = "application/octet-stream"
    # Only a content type among the headers is sent unchanged; `content_type` gets a charset.
    effect |= {"body": body, "headers": dict(recorded.headers)}
    word = ascii(_word(recorded))[1:-1]
    answered = f"{recorded.status} {word}".strip()
    shows = f"{recorded.operation} is answered {answered}, as it was recorded."
    if operation == "webhooks":
        shows += " All other operations of webhooks have the same answer."
    scenario = {
        "shows": shows,
        "apis": [api_of(recorded.path)],
        "faults": [{"match": {"operation": operation}, "effect": effect}],
    }
    # A multi-line string would lose the carriage returns.
    return tomli_w.dumps(scenario, multiline_strings="\r" not in body)


def _body(recorded: RecordedExchange) -> str:
    """The answer's body. JSON is indented, so that people can change it."""
    if recorded.answer is None:
        return recorded.text
    body = json.dumps(recorded.answer, ensure_ascii=False, indent=2)
    # JSON can have half of a surrogate pair, a file cannot.
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", body)
