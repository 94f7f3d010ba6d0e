"""Creates and reads generations."""

import json
import re
from hashlib import blake2b
from typing import Any, Literal

from starlette.responses import Response

from mock_server.apis.rivya import gate, response_bodies
from mock_server.apis.rivya.ids import TASK
from mock_server.apis.rivya.schema import lenient_generation, strict_generation
from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.core.accounts import Key
from mock_server.core.catalog import Model
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.refusals import Invalid, UnknownTask
from mock_server.core.tasks import Order
from mock_server.edge import mistaken_ids
from mock_server.edge.call import Call, json_response
from mock_server.edge.created_task import note_task
from mock_server.edge.keys import in_flight_limit
from mock_server.edge.media import upload_at

VISIBLE_ASCII = re.compile(r"[\x21-\x7E]{1,255}")


async def create_generation(call: Call) -> Response:
    """POST /api/v1/generations: one task and one charge, also if the caller repeats the request."""
    settings = call.server.settings.of(RivyaSettings)
    key = gate.admit(call, "generations:create")
    body = call.json()
    order = _read_order(call, key, body, settings)
    retry_key = _idempotency_key(call, key, body)
    in_flight = in_flight_limit(key, settings.in_flight)
    world = call.world
    if retry_key is None:
        task = world.submit(order, call.task_faults, call.exchange, in_flight=in_flight)
    else:
        task = world.submit_once(
            order, retry_key, call.task_faults, call.exchange, in_flight=in_flight
        )
        call.claimed = retry_key
        if (maker := world.idempotency.request_of(retry_key)) != call.exchange.id:
            call.exchange.replay_of = maker
    note_task(call, task)
    await call.timekeeper.deliver_before_answer(task, call.exchange.id)
    # Not from the cache: this is the first answer with this task, and often the only one.
    generation = response_bodies.generation(
        task, world=call.world.name, now_ms=call.world.clock.now_ms(), base_url=order.base_url
    )
    return json_response(generation, settings.create_status)


async def get_generation(call: Call) -> Response:
    """GET /api/v1/generations/{task_id}: 200 in every state, also for failed tasks."""
    key = gate.admit(call, "generations:read")
    task_id = call.path_value("task_id")
    try:
        task = call.world.expiry.find_task(task_id, api="rivya", account=key.account)
    except UnknownTask as unknown:
        raise mistaken_ids.with_hint(call, unknown, task_id, TASK) from None
    call.exchange.task = task.id
    world = call.world
    shown = response_bodies.generation_json(
        task, world=world.name, now_ms=world.clock.now_ms(), base_url=call.media_url
    )
    return json_response(shown)


def _read_order(call: Call, key: Key, body: Any, settings: RivyaSettings) -> Order:
    """The body as an order. Refuses with Invalid if it breaks the model's rules."""
    contract = call.server.contract
    rules = contract.of(strict_generation if settings.params == "strict" else lenient_generation)
    model_id = rules.require(body)
    call.note_ignored(rules.ignored_in(model_id, body))
    model = contract.catalog.find("rivya", model_id)
    _check_prompt(settings, model, body)
    if settings.references == "own":
        _check_references(call, key, body.get("params", {}).get("referenceMediaItems", ()))
    return Order(
        api="rivya",
        account=key.account,
        key=key.secret,
        model=model_id,
        price_credits=model.price_credits,
        request=rules.kept(
            body, model_id, whole_bytes=call.server.settings.limits.whole_request_bytes
        ),
        base_url=call.media_url,
    )


def _check_prompt(settings: RivyaSettings, model: Model, body: dict[str, Any]) -> None:
    prompt_rules = model.facts["prompt"]
    if prompt_rules is not None and "prompt" in body:
        require_length(body["prompt"], prompt_rules["max_chars"], unit=settings.prompt_unit)


def require_length(prompt: str, max_chars: int, *, unit: Literal["utf16", "codepoints"]) -> None:
    """Refuses with Invalid a prompt longer than `max_chars`.
    unit: what counts as a character. A service in TypeScript counts UTF-16 code units, so an emoji
    counts twice (assumed)."""
    if len(prompt) <= max_chars // 2:  # the usual case: no character has more than two units
        return
    length = len(prompt) if unit == "codepoints" else len(prompt.encode("utf-16-le")) // 2
    if length > max_chars:
        counted = "UTF-16 code units" if unit == "utf16" else "characters"
        raise Invalid.at("/prompt", "maxLength", f"has {length} {counted}; at most {max_chars}")


def _check_references(call: Call, key: Key, items: list[dict[str, Any]]) -> None:
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
    # Two bodies are equal if they differ only in white space and in the order of names.
    normalized = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    digest = blake2b(normalized, digest_size=16).digest()
    return IdempotencyKey(key.account, "createGeneration", value, digest)
