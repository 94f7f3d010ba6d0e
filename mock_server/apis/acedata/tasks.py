"""Look at tasks: one, or several at once."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from mock_server.apis.acedata import gate, wire
from mock_server.core.refusals import UnknownTask
from mock_server.core.tasks import Task
from mock_server.edge import mistaken_ids
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list


async def query_tasks(call: Call) -> Response:
    """POST /hailuo/tasks: `retrieve` shows the task itself, `retrieve_batch` a list of them."""
    key = gate.admit(call)
    body = call.json()
    rules = call.fake.contract.task_query_rules
    rules.require(body)
    call.note_ignored(rules.ignored_in(body))
    gate.count(call, key)
    if body.get("action", "retrieve") == "retrieve":
        try:
            task = call.world.tasks.find(body["id"], api="acedata", account=key.account)
        except UnknownTask as unknown:
            raise mistaken_ids.told(unknown, body["id"], mistaken_ids.ACEDATA_TASK) from None
        call.exchange.task = task.id
        return json_response(_show(call, task))
    found = _known(call, key.account, body["ids"])
    return json_list("items", (_show(call, task) for task in found), count=len(found))


def _known(call: Call, account: str, ids: list[str]) -> list[Task]:
    """The account's tasks among these, in the order of `ids`, each once; others are left out."""
    tasks = (call.world.tasks.get(task_id) for task_id in dict.fromkeys(ids))
    return [task for task in tasks if task is not None and task.belongs_to("acedata", account)]


def _show(call: Call, task: Task) -> dict[str, Any]:
    return wire.task_object(
        task, world=call.world, settings=call.fake.settings.acedata, base_url=call.base_url
    )
