"""Sends video requests to Ace Data Cloud, and reads tasks."""

from __future__ import annotations

from typing import Any

from contract_tests.acedata.rules import RULE
from contract_tests.exchange import Exchange
from contract_tests.requirements import require_success
from contract_tests.target import Caller, poll_until, running_clock
from contract_tests.verdicts import Require

LONGEST_LIFE_S = 1800.0


def request_body(**fields: Any) -> dict[str, Any]:
    """The body of a valid request, with some fields added or replaced."""
    return {"action": "generate", "prompt": "Internal heat"} | fields


def create(caller: Caller, body: Any) -> Exchange:
    """Send POST /hailuo/videos while the clock runs, so that a held request is answered."""
    with running_clock(caller.target.clock):
        return caller.post("/videos", body)


def submit(caller: Caller, require: Require, **fields: Any) -> str:
    """The task id of a new video in async mode."""
    answer = create(caller, request_body(**{"async": True} | fields))
    shown = require_success(require, RULE + "takes-what-is-valid", answer)
    task_id: str = shown["task_id"]
    return task_id


def retrieve(caller: Caller, task_id: str) -> Exchange:
    """Send POST /hailuo/tasks for one task."""
    return caller.post("/tasks", {"action": "retrieve", "id": task_id})


def retrieve_batch(caller: Caller, ids: list[str]) -> Exchange:
    """Send POST /hailuo/tasks for several tasks."""
    return caller.post("/tasks", {"action": "retrieve_batch", "ids": ids})


def has_ended(task: Exchange) -> bool:
    """Whether the answer has the result of a task that ended."""
    return bool(isinstance(task.json, dict) and task.json.get("response"))


def poll_to_the_end(caller: Caller, require: Require, task_id: str) -> list[Exchange]:
    """Poll a task until it has ended. The answer to each poll."""
    polls, ended = poll_until(
        caller.target, lambda: retrieve(caller, task_id), has_ended, LONGEST_LIFE_S
    )
    require(
        "acedata.Task.response", ended, expected=f"an end within {LONGEST_LIFE_S:.0f} s",
        got="none", by=polls[-1],
    )  # fmt: skip
    return polls
