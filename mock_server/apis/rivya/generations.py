"""Create a generation, and look at it."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any

from starlette.responses import Response

from mock_server.apis.rivya import gate, wire
from mock_server.core.accounts import Key
from mock_server.core.catalog import Model
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.prompts import require_length
from mock_server.core.refusals import Invalid, UnknownTask
from mock_server.core.tasks import Order, Task
from mock_server.edge import mistaken_ids
from mock_server.edge.call import Call, json_response
from mock_server.edge.created_task import note_task
from mock_server.edge.media import upload_at

VISIBLE_ASCII = re.compile(r"[\x21-\x7E]{1,255}")


async def create_generation(call: Call) -> Response:
    """POST /api/v1/generations: one task and one charge, also when the caller asks again."""
    key = gate.admit(call, "generations:create")
    body = call.json()
    order = _read_order(call, key, body)
    retry_key = _idempotency_key(call, key, body)
    if retry_key is None:
        task = call.world.submit(order, call.task_faults)
    else:
        world, request = call.world, call.exchange.id
        task = world.submit_once(order, retry_key, call.task_faults, request)
        call.claimed = retry_key
        if (maker := world.idempotency.request_of(retry_key)) != request:
            call.exchange.replay_of = maker
    note_task(call, task)
    await call.timekeeper.before_answer(task, call.exchange.id)
    return _show(call, task, call.fake.settings.rivya.create_status)


async def get_generation(call: Call) -> Response:
    """GET /api/v1/generations/{task_id}: 200 in every state, the failed one too."""
    key = gate.admit(call, "generations:read")
    task_id = call.path_value("task_id")
    try:
        task = call.world.tasks.find(task_id, api="rivya", account=key.account)
    except UnknownTask as unknown:
        raise mistaken_ids.told(unknown, task_id, mistaken_ids.TASK) from None
    call.exchange.task = task.id
    return _show(call, task, 200)


def _show(call: Call, task: Task, status: int) -> Response:
    world = call.world
    shown = wire.generation(
        task, world=world.name, now_ms=world.clock.now_ms(), base_url=call.base_url
    )
    return json_response(shown, status)


def _read_order(call: Call, key: Key, body: Any) -> Order:
    """The body as an order. Refuses with Invalid whatever the model's rules do not allow."""
    rules = call.fake.contract.generation_rules
    model_id = rules.require(body)
    call.note_ignored(rules.ignored_in(model_id, body))
    model = call.fake.contract.catalog.find("rivya", model_id)
    _check_prompt(call, model, body)
    _check_references(call, key, body.get("params", {}).get("referenceMediaItems", ()))
    return Order(
        api="rivya",
        account=key.account,
        key=key.secret,
        model=model_id,
        price_credits=model.price_credits,
        request=rules.kept(
            body, model_id, whole_bytes=call.fake.settings.limits.whole_request_bytes
        ),
        base_url=call.base_url,
    )


def _check_prompt(call: Call, model: Model, body: dict[str, Any]) -> None:
    prompt_rules = model.facts["prompt"]
    if prompt_rules is not None and "prompt" in body:
        unit = call.fake.settings.rivya.prompt_unit
        require_length(body["prompt"], prompt_rules["max_chars"], unit=unit)


def _check_references(call: Call, key: Key, items: list[dict[str, Any]]) -> None:
    if call.fake.settings.rivya.references != "own":
        return
    for index, item in enumerate(items):
        file = upload_at(item["url"], call.world)
        if file is None or file.account != key.account:
            raise Invalid.at(
                f"/params/referenceMediaItems/{index}/url",
                "ownership",
                "must be a url that POST /api/v1/files gave to this account",
            )


def _idempotency_key(call: Call, key: Key, body: Any) -> IdempotencyKey | None:
    value = call.header(b"idempotency-key")
    if value is None:
        return None
    if not VISIBLE_ASCII.fullmatch(value):
        raise Invalid.at(
            "header Idempotency-Key", "pattern", "must be 1 to 255 visible ASCII characters"
        )
    # Sorted and respelled: white space and the order of keys are not part of what was asked.
    meaning = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    digest = blake2b(meaning, digest_size=16).digest()
    return IdempotencyKey(key.account, "createGeneration", value, digest)
