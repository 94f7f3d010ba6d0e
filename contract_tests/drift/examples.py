"""Writes recorded exchanges as example files, in the format of `fixtures/examples`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract_tests.conformance import api_of
from contract_tests.drift.recording import RecordedExchange, Recording

_LONGEST_NAME = 120
_VARIES = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
     "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"), "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"),
    (re.compile(r"(task|file|req|evt|whend|whdel)_[0-9A-Za-z]+"), r"\w+_[0-9A-Za-z]+"),
    (re.compile(r"https?://.+"), "https?://.+"),
)  # fmt: skip


def write(recording: Recording, folder: Path) -> list[Path]:
    """Write one file for each kind of recorded answer; the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for recorded in recording.exchanges:
        kind = "-".join(str(part) for part in recorded.kind if part is not None)
        name = re.sub(r"[^0-9A-Za-z.]+", "-", kind)[:_LONGEST_NAME]
        if name not in written and isinstance(recorded.sent, dict | None):
            written[name] = folder / f"{api_of(recorded.path)}-{name}.json"
            text = json.dumps(_example(recorded), ensure_ascii=False, indent=2)
            written[name].write_text(text + "\n", "utf-8", "backslashreplace")
    return list(written.values())


def _example(recorded: RecordedExchange) -> dict[str, Any]:
    return {
        "seen": f"recorded: {recorded.operation}, answered {recorded.status}",
        "api": api_of(recorded.path),
        "request": {
            "method": recorded.method,
            "path": recorded.path,
            "headers": {k: v for k, v in recorded.sent_headers.items() if k != "content-type"},
            "body": recorded.sent,
        },
        "answer": {
            "status": recorded.status,
            "body": recorded.answer,
            "varies": dict(_varying(recorded.answer, "")),
        },
    }


def _varying(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """JSON Pointers of values that differ in each run, each with a pattern that they match."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "message":
                yield f"{pointer}/message", ".+"
            else:
                yield from _varying(inner, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _varying(item, f"{pointer}/{index}")
    elif isinstance(value, str):
        form = next((form for pattern, form in _VARIES if pattern.fullmatch(value)), None)
        if form is not None:
            yield pointer, form
