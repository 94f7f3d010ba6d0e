"""Broken servers of Rivya with values near the documented ones, and JSON that few read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer, Delivery, SentRequest
from contract_tests.broken.rivya.messages import (
    ANY,
    CREATE,
    CREDITS,
    FILES,
    READ,
    SECOND_KEY,
    has_succeeded,
    is_event,
    key_of,
    on_answer,
    on_body,
    on_delivery,
    on_request,
    refuse,
)


def _rewrite(change_bytes: Callable[[bytes], bytes]) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        if answer.status in {200, 404}:
            answer.body = change_bytes(answer.body)

    return change


on_answer("nan-in-the-balance", "rule.json-answers", CREDITS,
          _rewrite(lambda body: body.replace(b"}", b',"pending":NaN}')))  # fmt: skip
on_answer("infinity-in-a-generation", "rule.json-answers", f"{CREATE}|{READ}",
          _rewrite(lambda body: body.replace(b"}", b',"eta":-Infinity}')))  # fmt: skip
on_answer("answers-begin-with-a-byte-order-mark", "rule.json-answers", ANY,
          _rewrite(lambda body: b"\xef\xbb\xbf" + body))  # fmt: skip
on_answer("the-balance-is-utf-16", "rule.json-answers", CREDITS,
          _rewrite(lambda body: body.decode().encode("utf-16")))  # fmt: skip
on_answer("not-found-is-latin-1", "rule.json-answers", READ,
          _rewrite(lambda body: body.replace(b'"message":"', b'"message":"\xe9 ')))  # fmt: skip


def _trim_model(body: Any) -> None:
    if isinstance(body.get("model"), str):
        body["model"] = body["model"].strip()


def _ignore_case_of_options(body: Any) -> None:
    params = body.get("params")
    if isinstance(params, dict):
        for name in ("prompt_optimizer", "resolution"):
            if isinstance(params.get(name), str):
                upper = params[name].upper()
                params[name] = upper if name == "resolution" else upper.lower()


def _drop_params_of_others(body: Any) -> None:
    if body.get("model") == "hailuo-pro" and isinstance(body.get("params"), dict):
        for name in ("duration", "resolution"):
            body["params"].pop(name, None)


def _show_declared_type(answer: Answer) -> None:
    if answer.status == 200 and b"image/jpeg" in answer.sent.body:
        answer.json = answer.json | {"mime_type": "image/jpeg"}


def _share_result(answer: Answer) -> None:
    if has_succeeded(answer.json):
        result = answer.memory.setdefault("result", answer.json["result"])
        answer.json = answer.json | {"result": result}


def _conflict_between_accounts(answer: Answer) -> None:
    key = key_of(answer.sent)
    if key and answer.status == 200:
        first = answer.memory.setdefault(f"body {key}", answer.sent.body)
        if first != answer.sent.body and answer.sent.key == SECOND_KEY:
            refuse(answer, "idempotency_conflict", 409)


def _send_test_events_once(delivery: Delivery) -> None:
    if is_event(delivery) and delivery.json.get("test"):
        urls = delivery.memory.setdefault("tested", set())
        delivery.copies = int(delivery.url not in urls)
        urls.add(delivery.url)


def _lower_kind(sent: SentRequest) -> None:
    sent.body = sent.body.replace(b"\r\n\r\nImage\r\n", b"\r\n\r\nimage\r\n")


on_body("names-of-models-are-trimmed", "rule.model-not-callable", CREATE, _trim_model)
on_body("options-have-any-case", "rule.options-are-strings", CREATE,
        _ignore_case_of_options)  # fmt: skip
on_body("options-of-other-models-pass", "rule.options-are-strings", CREATE,
        _drop_params_of_others)  # fmt: skip
on_answer("the-declared-type-is-shown", "rule.upload-is-described", FILES, _show_declared_type)
on_answer("all-generations-have-one-result", "rule.results-differ", READ, _share_result)
on_answer("keys-conflict-between-accounts", "rule.key-belongs-to-account", CREATE,
          _conflict_between_accounts)  # fmt: skip
on_delivery("the-second-test-event-never-comes", "rule.test-event", _send_test_events_once)
on_request("kinds-have-any-case", "FileUpload.kind", r"POST /api/v1/files", _lower_kind)
