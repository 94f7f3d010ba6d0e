"""The tasks endpoint: reads one task, or several."""

import re
from typing import Any

from starlette.responses import Response

from mock_server.apis.acedata import gate, response_bodies
from mock_server.apis.acedata.schema import task_query_rules
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.core.apis import IdKind
from mock_server.core.refusals import UnknownTask
from mock_server.core.tasks import Task
from mock_server.edge import mistaken_ids
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import json_list

TASK = IdKind(
    re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE),
    "one of Ace Data Cloud's tasks or traces: POST /hailuo/tasks shows a task",
)


async def query_tasks(call: Call) -> Response:
    """POST /hailuo/tasks: `retrieve` answers a task object, `retrieve_batch` a list of them."""
    key = gate.admit(call)
    body = call.json()
    rules = call.server.contract.of(task_query_rules)
    rules.require(body)
    call.note_ignored(rules.ignored_in(body))
    gate.count(call, key)
    if body.get("action", "retrieve") == "retrieve":
        try:
            task = call.world.expiry.find_task(body["id"], api="acedata", account=key.account)
        except UnknownTask as unknown:
            raise mistaken_ids.with_hint(call, unknown, body["id"], TASK) from None
        call.exchange.task = task.id
        return json_response(_show(call, task))
    found = _known(call, key.account, body["ids"])
    call.exchange.tasks = tuple(task.id for task in found)
    whole = {"items": [], "count": len(found)}
    return json_list(whole, "items", (_show(call, task) for task in found))


def _known(call: Call, account: str, ids: list[str]) -> list[Task]:
    """The account's tasks with these ids, in their order, each once; unknown ids are left out."""
    world = call.world
    tasks = (world.tasks.get(task_id) for task_id in dict.fromkeys(ids))
    return [
        task
        for task in tasks
        if task is not None
        and task.belongs_to("acedata", account)
        and not world.expiry.has_expired(task)
    ]


def _show(call: Call, task: Task) -> dict[str, Any]:
    return response_bodies.task_object(
        task,
        world=call.world,
        settings=call.server.settings.of(AceDataSettings),
        base_url=call.media_url,
    )
