"""Broken servers of Rivya that take, repeat and charge creates otherwise."""

from __future__ import annotations

import json
from typing import Any

from contract_tests.broken.broken_server import Answer, SentRequest
from contract_tests.broken.key_changes import accept_keys
from contract_tests.broken.rivya.messages import (
    CREATE,
    CREDITS,
    READ,
    UPLOAD,
    change_balance,
    edit,
    has_failed,
    on_answer,
    on_body,
    on_request,
    refuse,
)


def _drop_idempotency_key(sent: SentRequest) -> None:
    sent.headers.pop("idempotency-key", None)


def _repeat_first_body(sent: SentRequest) -> None:
    """Replace each body by the first one with the same key."""
    key = sent.headers.get("idempotency-key")
    if key:
        sent.body = sent.memory.setdefault(f"{sent.key} {key}", sent.body)


def _add_length_to_key(sent: SentRequest) -> None:
    key = sent.headers.get("idempotency-key", "")
    if key and len(key) < 200:
        sent.headers["idempotency-key"] = f"{key}-{len(sent.body)}"


def _conflict_after_refusal(answer: Answer) -> None:
    key = answer.sent.headers.get("idempotency-key")
    if key and answer.status == 400:
        answer.memory[key] = True
    elif key and answer.memory.get(key):
        refuse(answer, "idempotency_conflict", 409)


def _share_answers(answer: Answer) -> None:
    key = answer.sent.headers.get("idempotency-key")
    if key and answer.status == 200:
        answer.body = answer.memory.setdefault(key, answer.body)


on_request("idempotency-is-ignored", "rule.replay-is-one-task", CREATE, _drop_idempotency_key)
on_request("no-conflict-for-another-body", "rule.other-body-conflicts", CREATE, _repeat_first_body)
on_request(
    "spelling-makes-another-body", "rule.replay-ignores-spelling", CREATE, _add_length_to_key
)
on_answer("a-refusal-burns-the-key", "rule.refusal-frees-the-key", CREATE, _conflict_after_refusal)
on_answer("keys-are-shared-by-accounts", "rule.key-belongs-to-account", CREATE, _share_answers)


def _charge_replays(answer: Answer) -> None:
    """Charge each replay 30 credits."""
    memory = answer.memory
    if answer.sent.method == "POST" and answer.status == 200:
        task_id, known = answer.json.get("id"), memory.setdefault("ids", set())
        memory["replays"] = memory.get("replays", 0) + (task_id in known)
        known.add(task_id)
    change_balance(answer, -30 * memory.get("replays", 0))


def _refund(credits: int) -> Any:
    """A change of the balance by so many credits for each failed generation."""

    def change(answer: Answer) -> None:
        task_ids = answer.memory.setdefault("failed", set())
        if has_failed(answer.json):
            task_ids.add(answer.json["id"])
        change_balance(answer, credits * len(task_ids))

    return change


def _never_charge(answer: Answer) -> None:
    memory = answer.memory
    if answer.status == 200 and answer.sent.method == "POST":
        memory["reserved"] = memory.get("reserved", 0) + answer.json["reserved_credits"]
    change_balance(answer, memory.get("reserved", 0))


on_answer("replays-are-charged", "rule.replay-is-one-charge", f"{CREATE}|{CREDITS}",
          _charge_replays)  # fmt: skip
on_answer("failures-are-kept", "rule.failure-gives-back", f"{READ}|{CREDITS}", _refund(-30))
on_answer("failures-are-given-back-twice", "rule.failure-gives-back", f"{READ}|{CREDITS}",
          _refund(30))  # fmt: skip
on_answer("creating-takes-nothing", "rule.create-takes-the-price", f"{CREATE}|{CREDITS}",
          _never_charge)  # fmt: skip


on_request(
    "the-poor-are-served", "rule.too-poor", CREATE, accept_keys("rvya_sk_poor", "rvya_sk_one")
)
edit("credits-are-a-string", "Credits.current_credits", CREDITS,
     lambda c: c.update(current_credits=str(c["current_credits"])))  # fmt: skip


def _charge_uploads(answer: Answer) -> None:
    if answer.sent.method == "POST" and answer.status == 200:
        answer.memory["uploads"] = answer.memory.get("uploads", 0) + 1
    change_balance(answer, -answer.memory.get("uploads", 0))


on_answer("uploads-cost", "rule.reads-are-free", f"{UPLOAD}|{CREDITS}", _charge_uploads)


def _shorten_prompt(body: Any) -> None:
    if isinstance(body.get("prompt"), str):
        body["prompt"] = body["prompt"][:1500]


def _fill_prompt(body: Any) -> None:
    if isinstance(body.get("prompt"), str) and not body["prompt"].strip():
        body["prompt"] = "a video"


def _drop_unknown_params(body: Any) -> None:
    if isinstance(body.get("params"), dict):
        body["params"].pop("undocumented", None)
        body["params"].pop("seed", None)


def _drop_third_reference(body: Any) -> None:
    params = body.get("params")
    items = params.get("referenceMediaItems") if isinstance(params, dict) else None
    if isinstance(items, list):
        params["referenceMediaItems"] = items[:2]


def _quote_options(body: Any) -> None:
    if isinstance(body.get("params"), dict):
        for name, value in body["params"].items():
            if isinstance(value, bool | int):
                body["params"][name] = json.dumps(value)


def _replace_model(body: Any) -> None:
    if body.get("model") in {"hailuo-next", "studio-sketch"}:
        body["model"] = "hailuo-pro"


def _shorten_request_id(body: Any) -> None:
    if isinstance(body.get("client_request_id"), str):
        body["client_request_id"] = body["client_request_id"][:128]


on_body("long-prompts-pass", "rule.refuses-what-is-invalid", CREATE, _shorten_prompt)
on_body("blank-prompts-pass", "GenerationRequest.prompt", CREATE, _fill_prompt)
on_body("unknown-params-pass", "rule.refuses-what-is-invalid", CREATE, _drop_unknown_params)
on_body("three-references-pass", "GenerationRequest.params.referenceMediaItems", CREATE,
        _drop_third_reference)  # fmt: skip
on_body("json-options-pass", "rule.options-are-strings", CREATE, _quote_options)
on_body("files-pass", "GenerationRequest.files", CREATE, lambda b: b.pop("files", None))
on_body("uncallable-models-pass", "rule.model-not-callable", CREATE, _replace_model)
on_body("long-traces-pass", "GenerationRequest.client_request_id", CREATE, _shorten_request_id)


def _refuse_unknown_fields(answer: Answer) -> None:
    known = {"model", "prompt", "params", "client_request_id", "files"}
    body = answer.sent.json
    if isinstance(body, dict) and set(body) - known and answer.status == 200:
        refuse(answer)


on_answer(
    "unknown-fields-are-refused", "rule.unknown-fields-ignored", CREATE, _refuse_unknown_fields
)


def _refuse_second_reference(answer: Answer) -> None:
    params = answer.sent.json.get("params") if isinstance(answer.sent.json, dict) else None
    items = params.get("referenceMediaItems") if isinstance(params, dict) else None
    if isinstance(items, list) and len(items) == 2 and answer.status == 200:
        refuse(answer)


on_answer(
    "a-second-reference-is-refused", "rule.takes-what-is-valid", CREATE, _refuse_second_reference
)
