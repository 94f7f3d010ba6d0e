"""The requests of the measurements as HTTP/1.1 text."""

from __future__ import annotations

import json
from typing import Any

RIVYA_KEY = "rvya_sk_test"
ACEDATA_TOKEN = "test-token"
GENERATIONS = "/api/v1/generations"

MINIMAL = {
    "model": "hailuo-pro",
    "prompt": "A cinematic product reveal with smooth camera movement",
    "params": {"prompt_optimizer": "false"},
}
"""The minimal request in Rivya's documentation of the model."""

WRONG_OPTION = MINIMAL | {"params": {"prompt_optimizer": "maybe"}}
WRONG_PLACE = "/params/prompt_optimizer"

VIDEO = {"action": "generate", "prompt": "Internal heat"}
"""A request that is held open until its video is finished."""


def message(method: str, path: str, *, key: str | None = None, body: Any = None) -> str:
    """One HTTP/1.1 request for a keep-alive connection; ASCII."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    text = ""
    if body is not None:
        text = json.dumps(body)
        lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + text


def bare() -> str:
    """The request to the bare app."""
    return message("GET", "/bare")


def read(task_id: str) -> str:
    """A read of a generation."""
    return message("GET", f"{GENERATIONS}/{task_id}", key=RIVYA_KEY)


def create(body: Any = MINIMAL) -> str:
    """A create of a generation."""
    return message("POST", GENERATIONS, key=RIVYA_KEY, body=body)


def held_video() -> str:
    """A create of a video, held open."""
    return message("POST", "/hailuo/videos", key=ACEDATA_TOKEN, body=VIDEO)
