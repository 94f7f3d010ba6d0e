"""Broken servers of Ace Data Cloud that call back and hold answers otherwise."""

from __future__ import annotations

import json

from contract_tests.broken.acedata import (
    ANY,
    TASKS,
    VIDEOS,
    is_done,
    is_task,
    on_answer,
    on_delivery,
)
from contract_tests.broken.broken_server import Answer, Delivery
from contract_tests.broken.changes import call_decoded, call_without_query


def _once_per_url(delivery: Delivery) -> None:
    urls = delivery.memory.setdefault("urls", set())
    delivery.copies = int(delivery.url not in urls)
    urls.add(delivery.url)


def _ascii_prompt(delivery: Delivery) -> None:
    event = delivery.json
    for video in event.get("data", ()):
        video["prompt"] = video["prompt"].encode("ascii", "replace").decode()
    delivery.json = event


def _other_video(delivery: Delivery) -> None:
    event = delivery.json
    for video in event.get("data", ()):
        video["video_url"] += "?callback"
    delivery.json = event


def _not_for_images(delivery: Delivery) -> None:
    delivery.copies = int(b"i2v" not in delivery.body)


def _other_failure(delivery: Delivery) -> None:
    if delivery.json.get("success") is False:
        delivery.json = delivery.json | {"error": {"code": "timeout", "message": "too late"}}


def _failure_twice(delivery: Delivery) -> None:
    delivery.copies = 1 + (delivery.json.get("success") is False)


def _nan(delivery: Delivery) -> None:
    delivery.body = json.dumps(delivery.json | {"elapsed": float("nan")}).encode()


on_delivery("callbacks-lose-the-query-of-the-url", "rule.callback-comes-once", call_without_query)
on_delivery("callbacks-go-to-another-spelling-of-the-url", "rule.callback-comes-once",
            call_decoded)  # fmt: skip
on_delivery("each-url-is-called-once", "rule.callback-comes-once", _once_per_url)
on_delivery("callbacks-have-ascii-prompts", "rule.callback-is-the-result", _ascii_prompt)
on_delivery("callbacks-have-another-video", "rule.callback-is-the-result", _other_video)
on_delivery("image-models-never-call", "rule.callback-comes-once", _not_for_images)
on_delivery("callbacks-have-another-failure", "rule.callback-is-the-result", _other_failure)
on_delivery("failures-are-called-back-twice", "rule.callback-of-failure", _failure_twice)
on_delivery("callbacks-have-nan", "rule.callback-is-the-result", _nan)


def _other_held_video(answer: Answer) -> None:
    shown = answer.json
    if answer.status == 200 and "data" in shown:
        shown["data"][0]["video_url"] += "?held"
        answer.json = shown


def _pending_image_tasks(answer: Answer) -> None:
    shown = answer.json
    is_pending = answer.status == 200 and is_task(shown) and not shown["response"]
    if is_pending and "first_image_url" in shown["request"]:
        answer.json = {n: v for n, v in shown.items() if n != "response"}


on_answer("held-answers-have-another-video", "rule.response-is-the-result", VIDEOS,
          _other_held_video)  # fmt: skip
on_answer("pending-image-tasks-have-no-response", "rule.pending-is-empty", TASKS,
          _pending_image_tasks)  # fmt: skip
on_answer("nan-in-a-finished-task", "rule.json-answers", TASKS, lambda answer: setattr(
    answer, "body", json.dumps(answer.json | {"fps": float("nan")}).encode())
    if answer.status == 200 and is_done(answer.json) else None)  # fmt: skip
on_answer(
    "refusals-begin-with-a-byte-order-mark",
    "rule.json-answers",
    ANY,
    lambda answer: (
        setattr(answer, "body", b"\xef\xbb\xbf" + answer.body) if answer.status >= 400 else None
    ),
)
