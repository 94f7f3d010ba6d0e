"""Checks of failed videos in each mode and of each model, and of callbacks beside the examples."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.acedata.rules import (
    DIRECTOR,
    IMAGE,
    IMAGE_URL,
    RULE,
    TEXT,
    known,
    require_equal,
)
from contract_tests.acedata.videos import (
    create,
    poll_to_the_end,
    request_body,
    retrieve,
    retrieve_batch,
    submit,
)
from contract_tests.receiver import Inbox, Receiver
from contract_tests.requirements import require_refusal, require_success, require_valid
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.texts import TEXTS
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(3)

LATER_S = 3600
_OF_MODELS: tuple[dict[str, Any], ...] = (
    {}, {"model": TEXT}, {"model": IMAGE, "first_image_url": IMAGE_URL},
    {"model": DIRECTOR, "first_image_url": IMAGE_URL}, {"first_image_url": IMAGE_URL},
)  # fmt: skip


@pytest.mark.price(TEXT, count=10)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(
    RULE + "failed-task-shape", RULE + "held-open-failure", RULE + "done-stays-done",
    RULE + "failure-gives-back", RULE + "batch-shows-the-same", RULE + "request-is-echoed",
    RULE + "elapsed-fits", RULE + "one-trace", RULE + "belongs-to-the-account",
    RULE + "response-is-the-result",
)  # fmt: skip
def test_each_of_several_failures_is_told_and_gives_its_price_back(
    run: Run, require: Require
) -> None:
    caller = run.variant("failing").caller("acedata", "one")  # it can pay for one at a time
    other, clock = caller.target.caller("acedata", "second"), caller.target.clock
    tasks: dict[str, Any] = {}
    for fields in _OF_MODELS:
        body = request_body(prompt=TEXTS[0], **fields)
        accepted = create(caller, body | {"async": True})
        shown = require_success(require, RULE + "failure-gives-back", accepted)
        done = poll_to_the_end(caller, require, shown["task_id"])[-1]
        _require_failed(require, done, body | {"async": True})
        tasks[shown["task_id"]] = done.json
        held = create(caller, body)
        rule = RULE + "held-open-failure"
        require_refusal(require, "acedata", held, "api_error", rule)
        has_data = "data" in held.json
        require_equal(require, "held-open-failure", has_data, False, held)
    clock.advance(LATER_S if clock.is_controlled else 0.2)
    batch = retrieve_batch(caller, list(tasks))
    for item in batch.json["items"]:
        was = known(tasks[item["id"]])
        require_equal(require, "batch-shows-the-same", known(item), was, batch)
        again = retrieve(caller, item["id"])
        require_equal(require, "done-stays-done", known(again.json), was, again)
    count = batch.json["count"]
    require_equal(require, "batch-in-order", count, len(_OF_MODELS), batch)
    foreign = retrieve_batch(other, list(tasks))
    require_equal(require, "belongs-to-the-account", foreign.json["count"], 0, foreign)


def _require_failed(require: Require, done: Any, body: dict[str, Any]) -> None:
    """Require a failed task: its request, its failure, and its times."""
    task, response = done.json, done.json["response"]
    expected = {"success": False, "task_id": task["id"], "trace_id": task["trace_id"]}
    got = {name: response.get(name) for name in expected}
    require_equal(require, "response-is-the-result", got, expected, done)
    require_equal(require, "request-is-echoed", task["request"], body, done)
    has_url = "data" in response or "video_url" in str(response)
    require_equal(require, "failed-task-shape", has_url, False, done)
    message = response["error"].get("message")
    require_equal(require, "failed-task-shape", bool(message), True, done)
    if task.get("finished_at") is not None and "elapsed" in task:
        span = task["finished_at"] - task["started_at"]
        is_right = abs(task["elapsed"] - span) < 0.01
        require_equal(require, "elapsed-fits", is_right, True, done)


# --- callbacks ----------------------------------------------------------------------------------


def _require_callback(require: Require, inbox: Inbox, poll: Any, *, schema: str, path: str) -> None:
    """Require one callback with what the task shows, at the URL as it was given."""
    task = poll.json
    received = inbox.with_text(task["id"])
    require_equal(require, "callback-comes-once", len(received), 1, poll)
    request, response = received[0], task["response"]
    require_valid(require, RULE + "callback-is-the-result", request, schema, poll)
    require_equal(require, "callback-comes-once", request.path, path, poll)
    for name in ("success", "task_id", "trace_id"):
        got, expected = request.json.get(name), response.get(name)
        require_equal(require, "callback-is-the-result", got, expected, poll)
    for name in ("code", "message"):
        got, expected = (each.get("error", {}).get(name) for each in (request.json, response))
        require_equal(require, "callback-is-the-result", got, expected, poll)
    for name in ("id", "model", "prompt", "video_url", "state"):
        got, expected = (each.get("data", [{}])[0].get(name) for each in (request.json, response))
        require_equal(require, "callback-is-the-result", got, expected, poll)


@pytest.mark.price(TEXT, count=5)
@pytest.mark.needs("receiver")
@pytest.mark.holds(
    RULE + "callback-comes-once", RULE + "callback-is-the-result", RULE + "pending-is-empty",
    RULE + "request-is-echoed", "acedata.VideoRequest.callback_url",
)  # fmt: skip
def test_each_task_calls_its_url_as_it_was_given(
    acedata: Caller, receiver: Receiver, require: Require
) -> None:
    inbox = receiver.inbox()
    url = f"{inbox.url}?tenant=a%20b&x=%C3%A9&next=/c?d"
    ids = []
    for fields in (*_OF_MODELS[1:4], {"prompt": TEXTS[0]}, {"prompt": TEXTS[1], "async": True}):
        body = request_body(callback_url=url, **fields)
        accepted = create(acedata, body)
        ids.append(require_success(require, RULE + "callback-answers-at-once", accepted)["task_id"])
        poll = retrieve(acedata, ids[-1])
        require_equal(require, "request-is-echoed", poll.json["request"], body, poll)
        if acedata.target.clock.is_controlled and not poll.json.get("finished_at"):
            require_equal(require, "pending-is-empty", poll.json.get("response"), {}, poll)
    for task_id in ids:
        inbox.wait(1, acedata.target.clock, text=task_id)
    clock = acedata.target.clock
    clock.advance(LATER_S if clock.is_controlled else 1)
    path = "/" + url.partition("//")[2].partition("/")[2]
    for task_id in ids:
        poll = retrieve(acedata, task_id)
        kind = "VideoResult" if poll.json["response"]["success"] else "VideoFailure"
        _require_callback(require, inbox, poll, schema=kind, path=path)


@pytest.mark.price(TEXT, count=3)
@pytest.mark.needs("variant failing", "receiver")
@pytest.mark.holds(RULE + "callback-of-failure", RULE + "callback-comes-once")
def test_each_failure_calls_once_with_what_the_task_shows(
    run: Run, receiver: Receiver, require: Require
) -> None:
    caller, inbox = run.variant("failing").caller("acedata"), receiver.inbox()
    ids = [submit(caller, require, callback_url=inbox.url, **fields) for fields in _OF_MODELS[:3]]
    for task_id in ids:
        inbox.wait(1, caller.target.clock, text=task_id)
    clock = caller.target.clock
    clock.advance(LATER_S if clock.is_controlled else 1)
    for task_id in ids:
        poll = retrieve(caller, task_id)
        path = "/" + inbox.url.rpartition("/")[2]
        _require_callback(require, inbox, poll, schema="VideoFailure", path=path)
        require_equal(require, "callback-of-failure", len(inbox.with_text(task_id)), 1, poll)


@pytest.mark.price(TEXT, count=4)
@pytest.mark.holds(
    RULE + "held-open-finishes", RULE + "response-is-the-result", RULE + "equal-requests-two-tasks"
)
def test_each_held_answer_is_what_its_task_shows(acedata: Caller, require: Require) -> None:
    ids = []
    for fields in (*_OF_MODELS[1:3], *({"prompt": TEXTS[1]},) * 2):
        answer = create(acedata, request_body(**fields))
        result = require_success(require, RULE + "held-open-finishes", answer)
        poll = retrieve(acedata, result["task_id"])
        shown = poll.json["response"]
        for name in ("id", "model", "prompt", "video_url", "state"):
            got, expected = (each["data"][0].get(name) for each in (shown, result))
            require_equal(require, "response-is-the-result", got, expected, poll)
        ids.append(result["task_id"])
    is_own = len(set(ids)) == len(ids)
    by = acedata.target.transport.last
    require_equal(require, "equal-requests-two-tasks", is_own, True, by)
