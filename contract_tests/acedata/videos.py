"""Asking Ace Data Cloud for videos, and looking at tasks."""

from __future__ import annotations

from typing import Any

from contract_tests.exchange import Exchange
from contract_tests.refusals import require_success
from contract_tests.target import Caller, time_goes_on, until
from contract_tests.verdicts import Require

RULE = "acedata.rule."
TEXT = "minimax-t2v"
IMAGE = "minimax-i2v"
DIRECTOR = "minimax-i2v-director"
IMAGE_URL = "https://cdn.example.com/first.png"
LONGEST_LIFE_S = 1800.0


def order(**fields: Any) -> dict[str, Any]:
    """A valid request, some fields changed."""
    return {"action": "generate", "prompt": "Internal heat"} | fields


def ask(asker: Caller, body: Any) -> Exchange:
    """POST /hailuo/videos, answered at once: in callback or async mode, or refused.

    Time goes on meanwhile, so that a server that holds it after all is soon found out.
    """
    with time_goes_on(asker.target.time):
        return asker.post("/videos", body)


def hold(asker: Caller, body: Any) -> Exchange:
    """POST /hailuo/videos, held open until it is done; time goes on meanwhile."""
    return ask(asker, body)


def submit(asker: Caller, require: Require, **fields: Any) -> str:
    """The task id of a new video in async mode."""
    answer = ask(asker, order(**{"async": True} | fields))
    shown = require_success(require, RULE + "takes-what-is-valid", answer)
    task_id: str = shown["task_id"]
    return task_id


def retrieve(asker: Caller, task_id: str) -> Exchange:
    """POST /hailuo/tasks for one task."""
    return asker.post("/tasks", {"action": "retrieve", "id": task_id})


def batch(asker: Caller, ids: list[str]) -> Exchange:
    """POST /hailuo/tasks for several."""
    return asker.post("/tasks", {"action": "retrieve_batch", "ids": ids})


def has_ended(task: Exchange) -> bool:
    """Whether a task object shows an end."""
    return bool(isinstance(task.json, dict) and task.json.get("response"))


def live_to_the_end(asker: Caller, require: Require, task_id: str) -> list[Exchange]:
    """Every look at a task until it ended."""
    looks, ended = until(asker.target, lambda: retrieve(asker, task_id), has_ended, LONGEST_LIFE_S)
    require(
        "acedata.Task.response", ended, expected=f"an end within {LONGEST_LIFE_S:.0f} s",
        got="none", by=looks[-1],
    )  # fmt: skip
    return looks
