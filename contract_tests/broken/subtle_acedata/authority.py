"""Broken servers of Ace Data Cloud that serve other tokens than they may, and odd batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.acedata import (
    ANY,
    TASKS,
    VIDEOS,
    is_batch,
    on_answer,
    on_request,
    refuse,
)
from contract_tests.broken.broken_server import Answer, SentRequest
from contract_tests.broken.key_changes import accept_keys, accept_keys_where, use_own_key
from contract_tests.broken.subtle_acedata.tasks import tasks_in

OWN_TOKEN = "test-token"  # noqa: S105 - a key of the fake


def _accept_existing(sent: SentRequest) -> None:
    """Accept any token for tasks that exist, whose ids are no example."""
    body = sent.json
    if isinstance(body, dict) and (body.get("id") or body.get("ids")):
        use_own_key(sent)


def _accept_valid_create(*tokens: str) -> Callable[[SentRequest], None]:
    def change(sent: SentRequest) -> None:
        if isinstance(sent.json, dict) and sent.json.get("prompt"):
            accept_keys(*tokens)(sent)

    return change


def _read_batches_of_all(answer: Answer) -> None:
    """Show in a batch each task that any token has been shown."""
    known: dict[str, Any] = answer.memory.setdefault("tasks", {})
    shown = answer.json
    if answer.status == 200:
        known |= {task["id"]: task for task in tasks_in(shown)}
    if answer.status == 200 and is_batch(shown):
        ids = dict.fromkeys(answer.sent.json["ids"])
        items = [known[task_id] for task_id in ids if task_id in known]
        answer.json = {"items": items, "count": len(items)}


def _own_token_only(answer: Answer) -> None:
    if answer.sent.key == "limited-token" and answer.status == 200:
        refuse(answer, "task_not_found", 404)


def _count_all_ids(answer: Answer) -> None:
    if answer.status == 200 and is_batch(answer.json):
        answer.json = answer.json | {"count": len(set(answer.sent.json["ids"]))}


def _twenty_at_most(answer: Answer) -> None:
    if answer.status == 200 and is_batch(answer.json):
        items = answer.json["items"][:20]
        answer.json = {"items": items, "count": len(items)}


on_request(
    "tasks-are-read-without-token",
    "rule.every-operation-needs-a-token",
    TASKS,
    lambda sent: _accept_existing(sent) if "authorization" not in sent.headers else None,
)
on_request(
    "tasks-are-read-with-an-expired-token",
    "rule.every-operation-needs-a-token",
    TASKS,
    lambda sent: _accept_existing(sent) if sent.key == "expired-token" else None,
)
on_request("valid-creates-take-a-disabled-token", "rule.every-operation-needs-a-token", VIDEOS,
           _accept_valid_create("disabled-token"))  # fmt: skip
on_request(
    "tokens-of-other-services-read-batches",
    "rule.every-operation-needs-a-token",
    TASKS,
    lambda s: accept_keys("other-service-token")(s) if "ids" in s.json else None,
)
on_request("longer-tokens-work", "error.invalid_token", ANY,
           accept_keys_where(lambda key: key.startswith(OWN_TOKEN)))  # fmt: skip
on_request("shorter-tokens-work", "error.invalid_token", ANY,
           accept_keys_where(lambda key: len(key) > 4 and OWN_TOKEN.startswith(key)))  # fmt: skip
on_answer("batches-show-tasks-of-others", "rule.belongs-to-the-account", TASKS,
          _read_batches_of_all)  # fmt: skip
on_answer("tasks-belong-to-the-token", "rule.belongs-to-the-account", TASKS, _own_token_only)
on_answer("count-is-that-of-the-ids", "rule.batch-in-order", TASKS, _count_all_ids)
on_answer("batches-have-20-tasks", "rule.batch-in-order", TASKS, _twenty_at_most)
