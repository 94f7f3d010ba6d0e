"""Checks that requests come back as they were sent: texts, URLs, numbers, unknown fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract_tests.acedata.rules import IMAGE, RULE, TEXT, require_equal
from contract_tests.acedata.videos import create, has_ended, request_body, retrieve, retrieve_batch
from contract_tests.requirements import require_refusal, require_success
from contract_tests.target import Caller, poll_until
from contract_tests.texts import TEXTS
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(2)

_IMAGES = (
    "https://cdn.example.com", "http://cdn.example.com/a.png",
    "HTTPS://CDN.Example.com:8443/a%20b.png?x=1&y=%C3%A9&z=a+b&e#part",
    "https://cdn.example.com/A/../b//c.png?", f"https://cdn.example.com/{'x' * 400}.png",
)  # fmt: skip
_LONG = ("x" * 7001, "é" * 20_000)
_UNKNOWN: dict[str, Any] = {
    "mirror": True, "timeout": 1.5, "x_one": 1, "x_true": True, "x_text": "1", "x_null": None,
    "x_zero": 0, "x_false": False, "x_empty": "", "x_none": [], "x_small": 1e-7,
    "x_inner": {"a": [1, {"b": "é"}, [], {}, False]}, "x_large": 9_007_199_254_740_991,
}  # fmt: skip


def _bodies() -> list[dict[str, Any]]:
    bodies = [request_body(prompt=text) for text in (*TEXTS, *_LONG)]
    bodies += [request_body(model=IMAGE, first_image_url=url) for url in _IMAGES]
    bodies += [request_body(model=TEXT), request_body(**_UNKNOWN)]
    return [body | {"async": True} for body in bodies]


@pytest.mark.price(TEXT, count=len(_bodies()) + 1)
@pytest.mark.holds(
    RULE + "request-is-echoed", RULE + "result-as-asked", RULE + "image-as-sent",
    RULE + "takes-what-is-valid", RULE + "batch-shows-the-same", RULE + "video-id-is-not-task-id",
    RULE + "unknown-fields-ignored", RULE + "each-task-has-its-own-ids",
    RULE + "trace-ids-differ", "acedata.Task.created_at",
)  # fmt: skip
def test_requests_come_back_as_they_were_sent(acedata: Caller, require: Require) -> None:
    sent: dict[str, dict[str, Any]] = {}
    for body in _bodies():
        answer = create(acedata, body)
        shown = require_success(require, RULE + "takes-what-is-valid", answer)
        sent[shown["task_id"]] = body
    escaped = json.dumps(request_body(prompt=TEXTS[1], **{"async": True})).encode()
    answer = acedata.request("POST", "/videos", body=escaped)
    task_id = require_success(require, RULE + "takes-what-is-valid", answer)["task_id"]
    sent[task_id] = json.loads(escaped)
    last = next(reversed(sent))
    poll_until(acedata.target, lambda: retrieve(acedata, last), has_ended, 1800)
    batch = retrieve_batch(acedata, list(sent))
    items = {item["id"]: item for item in batch.json["items"]}
    require_equal(require, "batch-in-order", list(items), list(sent), batch)
    for task_id, body in sent.items():
        alone = retrieve(acedata, task_id)
        for task in (alone.json, items[task_id]):
            by = alone if task is alone.json else batch
            require_equal(require, "request-is-echoed", task["request"], body, by)
            if not task["response"].get("success"):
                continue
            (video,) = task["response"]["data"]
            got = (video["model"], video["prompt"])
            expected = (body.get("model", TEXT), body["prompt"])
            require_equal(require, "result-as-asked", got, expected, by)
            image = body.get("first_image_url")
            require_equal(require, "image-as-sent", video.get("first_image_url"), image, by)
    tasks = list(items.values())
    results = [task["response"] for task in tasks if task["response"].get("success")]
    for values in (
        [task["_id"] for task in tasks],
        [result["data"][0]["id"] for result in results],
        [result["data"][0]["video_url"] for result in results],
    ):  # fmt: skip
        is_own = len(set(values)) == len(values)
        require_equal(require, "each-task-has-its-own-ids", is_own, True, batch)
    has_own_trace = len({task["trace_id"] for task in tasks}) == len(tasks)
    require_equal(require, "trace-ids-differ", has_own_trace, True, batch)
    names = ("created_at", "started_at")
    times = [task[name] for task in tasks for name in names if name in task]
    in_seconds = all(1e9 < moment < 1e11 for moment in times)
    require("acedata.Task.created_at", in_seconds, expected="Unix seconds", got=times[0], by=batch)


@pytest.mark.price(TEXT, count=4)
@pytest.mark.holds(RULE + "equal-requests-two-tasks")
def test_no_header_makes_two_requests_one(acedata: Caller, require: Require) -> None:
    body = request_body(**{"async": True})
    for name in ("idempotency-key", "x-request-id"):
        ids = []
        for _ in range(2):
            answer = acedata.post("/videos", body, headers={name: "the-same"})
            shown = require_success(require, RULE + "equal-requests-two-tasks", answer)
            ids.append(shown["task_id"])
        by = acedata.target.transport.last
        require_equal(require, "equal-requests-two-tasks", ids[0] != ids[1], True, by)


@pytest.mark.rank(1)
@pytest.mark.needs("fake")
@pytest.mark.price(TEXT, count=2)
@pytest.mark.holds("acedata.VideoRequest.first_image_url", "acedata.VideoRequest.callback_url")
def test_urls_have_at_most_2048_characters(acedata: Caller, require: Require) -> None:
    start = "https://cdn.example.com/?"
    for field in ("first_image_url", "callback_url"):
        promise_id = f"acedata.VideoRequest.{field}"
        for length in (2048, 2049):
            url = (start if field == "first_image_url" else "http://127.0.0.1:9/?").ljust(
                length, "x"
            )
            answer = create(acedata, request_body(**{field: url, "async": True}))
            if length == 2048:
                require_success(require, promise_id, answer)
            else:
                require_refusal(require, "acedata", answer, "bad_request", promise_id)
