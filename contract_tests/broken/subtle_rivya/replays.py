"""Broken servers of Rivya that compare requests and keys wrongly beside the examples."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer, SentRequest
from contract_tests.broken.rivya.messages import (
    CREATE,
    add,
    has_failed,
    is_created,
    key_of,
    on_answer,
    on_request,
    params_of,
    refuse,
)


def burn_key(*statuses: int) -> Callable[[Answer], None]:
    """A change after which a key that was refused with these statuses conflicts."""

    def change(answer: Answer) -> None:
        key = key_of(answer.sent)
        burned = answer.memory.setdefault("burned", {})
        if key in burned and burned[key] != answer.sent.body:
            refuse(answer, "idempotency_conflict", 409)
        elif key and answer.status in statuses:
            burned[key] = answer.sent.body

    return change


def _forget_failed(sent: SentRequest) -> None:
    if key_of(sent) in sent.memory.get("failed", ()):
        del sent.headers["idempotency-key"]


def _note_failed(answer: Answer) -> None:
    keys = answer.memory.setdefault("keys", {})
    if is_created(answer) and key_of(answer.sent):
        keys[answer.json["id"]] = key_of(answer.sent)
    if has_failed(answer.json) and answer.json["id"] in keys:
        answer.memory.setdefault("failed", set()).add(keys[answer.json["id"]])


def _in_flight(sent: SentRequest, name: str) -> bool:
    """Whether another request of this name is between its change and its answer."""
    flying: Counter[str] = sent.memory.setdefault("flying", Counter())
    flying[name] += 1
    return flying[name] > 1


def _landed(answer: Answer) -> None:
    flying: Counter[str] = answer.memory.get("flying", Counter())
    flying.clear()


def _forget_key_of_race(sent: SentRequest) -> None:
    key = key_of(sent)
    if sent.method == "POST" and key and _in_flight(sent, key):
        sent.headers["idempotency-key"] = f"{key[:200]}-{sent.memory['flying'][key]}"


def _pay_once_of_race(sent: SentRequest) -> None:
    is_create = sent.method == "POST" and sent.path.endswith("/generations")
    if is_create and sent.key == "rvya_sk_one" and _in_flight(sent, "one"):
        sent.key = "rvya_sk_test"


def _conflict_replaces_body(answer: Answer) -> None:
    key = key_of(answer.sent)
    if answer.status == 409:
        answer.memory[key] = answer.sent.body
    elif key in answer.memory and answer.memory[key] != answer.sent.body:
        refuse(answer, "idempotency_conflict", 409)


def _share_by_trace(answer: Answer) -> None:
    body = answer.sent.json
    trace = body.get("client_request_id") if isinstance(body, dict) else None
    if trace and is_created(answer) and not key_of(answer.sent):
        answer.body = answer.memory.setdefault(f"{answer.sent.key} {trace}", answer.body)


def _second_replay_is_new(sent: SentRequest) -> None:
    key, count = key_of(sent), sent.memory.setdefault("count", Counter())
    count[key] += 1
    if key and count[key] == 4:
        sent.headers["idempotency-key"] = key[:200] + "-again"


on_answer("a-wrong-key-burns-the-idempotency-key", "rule.refusal-frees-the-key", CREATE,
          burn_key(401))  # fmt: skip
on_answer("a-missing-scope-burns-the-idempotency-key", "rule.refusal-frees-the-key", CREATE,
          burn_key(403))  # fmt: skip
on_answer("too-few-credits-burn-the-idempotency-key", "rule.refusal-frees-the-key", CREATE,
          burn_key(402))  # fmt: skip
on_answer("a-conflict-replaces-the-body", "rule.replay-is-one-task", CREATE,
          _conflict_replaces_body)  # fmt: skip
add("a-replay-of-a-failure-is-a-new-task", "rule.replay-is-one-task",
    on_request=_forget_failed, on_answer=_note_failed)  # fmt: skip
add("creates-at-the-same-time-are-two-tasks", "rule.replay-is-one-task",
    on_request=_forget_key_of_race, on_answer=_landed, pause_s=0.05)  # fmt: skip
add("creates-at-the-same-time-overdraw", "rule.never-negative",
    on_request=_pay_once_of_race, on_answer=_landed, pause_s=0.05)  # fmt: skip
on_answer("equal-traces-are-one-task", "rule.client-request-id-is-a-trace", CREATE, _share_by_trace)
on_request("the-third-replay-is-a-new-task", "rule.replay-is-one-task", CREATE,
           _second_replay_is_new)  # fmt: skip


def _compare_bodies_as(same: Callable[[Any], Any]) -> Callable[[SentRequest], None]:
    """A change that makes equal bodies of those that `same` makes equal."""

    def change(sent: SentRequest) -> None:
        key = key_of(sent)
        if not key or not isinstance(sent.json, dict):
            return
        first = sent.memory.setdefault(f"{sent.key} {key}", sent.body)
        if same(json.loads(first)) == same(sent.json):
            sent.body = first

    return change


def _key_by(change_key: Callable[[SentRequest], str]) -> Callable[[SentRequest], None]:
    """A change of the Idempotency-Key."""

    def change(sent: SentRequest) -> None:
        if 0 < len(key_of(sent)) <= 255:
            sent.headers["idempotency-key"] = change_key(sent)[:255]

    return change


def _without_params(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "params"}


def _digest(sent: SentRequest) -> str:
    params = json.dumps(params_of(sent)).encode()
    return hashlib.blake2b(params, digest_size=4).hexdigest()


on_request("prompts-are-compared-without-spaces", "rule.other-body-conflicts", CREATE,
           _compare_bodies_as(lambda body: str(body.get("prompt")).strip()))  # fmt: skip
on_request(
    "prompts-are-compared-without-case",
    "rule.other-body-conflicts",
    CREATE,
    _compare_bodies_as(lambda body: json.dumps(body, ensure_ascii=False).lower()),
)
on_request("prompts-are-normalised", "rule.other-body-conflicts", CREATE, _compare_bodies_as(
    lambda body: unicodedata.normalize("NFC", json.dumps(body, ensure_ascii=False))))  # fmt: skip
on_request("params-are-not-compared", "rule.other-body-conflicts", CREATE,
           _compare_bodies_as(_without_params))  # fmt: skip
on_request("the-order-of-references-is-not-compared", "rule.other-body-conflicts", CREATE,
           _compare_bodies_as(lambda body: sorted(json.dumps(body))))  # fmt: skip
on_request("true-is-1", "rule.values-have-types", CREATE, _compare_bodies_as(lambda body: body))
on_request("1-is-a-text", "rule.values-have-types", CREATE, _compare_bodies_as(
    lambda body: json.dumps(body).replace('"', "")))  # fmt: skip
on_request("escapes-make-another-body", "rule.replay-ignores-spelling", CREATE,
           _key_by(lambda sent: f"{key_of(sent)[:200]}{sent.body.count(92)}"))  # fmt: skip
on_request("inner-order-makes-another-body", "rule.replay-ignores-spelling", CREATE,
           _key_by(lambda s: key_of(s)[:200] + _digest(s)))  # fmt: skip
on_request("keys-are-compared-without-case", "rule.keys-are-compared-whole", CREATE,
           _key_by(lambda sent: key_of(sent).lower()))  # fmt: skip
on_request("keys-are-cut-at-64", "rule.keys-are-compared-whole", CREATE,
           _key_by(lambda sent: key_of(sent)[:64]))  # fmt: skip
on_request("keys-belong-to-the-api-key", "rule.replay-is-one-task", CREATE,
           _key_by(lambda sent: sent.key[-7:] + key_of(sent)))  # fmt: skip
