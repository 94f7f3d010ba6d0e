from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec
from starlette.responses import Response

from mock_server.contract.contract import Contract
from mock_server.contract.violations import BodyRules
from mock_server.core.accounts import Key
from mock_server.core.refusals import UnknownTask
from mock_server.core.tasks import Order, Task
from mock_server.edge import keys
from mock_server.edge.call import Call, json_response
from mock_server.edge.created_task import note_task
from mock_server.edge.media import result_url
from tests.apis.made_up.settings import LumenSettings


class LumenRules:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    @cached_property
    def job(self) -> BodyRules:
        return BodyRules(self._contract.schema("lumen/job-request"))


async def create_job(call: Call) -> Response:
    key = _admit(call)
    body = call.json()
    rules = call.server.contract.of(LumenRules).job
    rules.require(body)
    call.note_ignored(rules.ignored_in(body))
    order = Order(
        api="lumen",
        account=key.account,
        key=key.secret,
        model=body["model"],
        price_credits=call.server.contract.catalog.find("lumen", body["model"]).price_credits,
        request=msgspec.json.encode(body),
        base_url=call.base_url,
        callback_url=body.get("notify"),
    )
    task = call.world.submit(order, call.task_faults)
    note_task(call, task)
    await call.timekeeper.deliver_before_answer(task, call.exchange.id)
    return json_response(_shown(call, task), call.server.settings.of(LumenSettings).create_status)


async def get_job(call: Call) -> Response:
    key = _admit(call)
    task = call.world.tasks.get(call.path_value("task_id"))
    if task is None or not task.belongs_to("lumen", key.account):
        raise UnknownTask("no job of yours has this id")
    call.exchange.task = task.id
    return json_response(_shown(call, task))


async def get_credits(call: Call) -> Response:
    balance = call.world.ledger.balance(_admit(call).account)
    return json_response({"left": balance.available_credits})


def _admit(call: Call) -> Key:
    key = keys.admit(call, call.credential[0] or None, "lumen", is_exact=False)
    call.exchange.account = key.account
    return key


def _shown(call: Call, task: Task) -> dict[str, Any]:
    state = call.world.state_of(task).value
    url = result_url(call.base_url, call.world.name, task.id)
    return {"job": task.id, "state": state, "video": url if state == "succeeded" else None}
