"""Checks of the three modes (held open, callback, async), and of the task that each makes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contract_tests.acedata.rules import (
    DIRECTOR,
    IMAGE,
    IMAGE_URL,
    RULE,
    TEXT,
    UNREACHABLE_URL,
    known,
    require_equal,
)
from contract_tests.acedata.videos import create, poll_to_the_end, request_body, retrieve, submit
from contract_tests.exchange import Exchange
from contract_tests.requirements import require_refusal, require_success, require_video
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(3)

LATER_S = 3600


@pytest.mark.rank(-1)
@pytest.mark.price(TEXT)
@pytest.mark.holds(
    *(
        RULE + name
        for name in (
            "async-answers-at-once", "accepted-is-bare", "takes-what-is-valid", "pending-is-empty",
            "request-is-echoed", "no-status-field", "done-stays-done", "elapsed-fits",
            "response-is-the-result", "result-as-asked", "result-is-a-video",
            "video-id-is-not-task-id", "one-trace", "all-modes-can-be-queried", "image-as-sent",
        )
    ),
    "acedata.createVideo.200", "acedata.queryTasks.200", "acedata.VideoAccepted*", "acedata.Task*",
    "acedata.VideoResult*", "acedata.Video.*", "acedata.model.minimax-t2v.*",
)  # fmt: skip
def test_one_video_lives_as_promised(acedata: Caller, require: Require) -> None:
    body = request_body(**{"async": True})
    accepted = create(acedata, body)
    shown = require_success(require, RULE + "async-answers-at-once", accepted)
    require_bare(require, accepted)
    polls = poll_to_the_end(acedata, require, shown["task_id"])
    for poll in polls[:-1]:
        require_pending(require, poll)
    require_forward(require, polls)
    done = polls[-1]
    task = done.json
    require_equal(require, "all-modes-can-be-queried", task["id"], shown["task_id"], done)
    require_equal(require, "request-is-echoed", task["request"], body, done)
    require_equal(require, "one-trace", task["response"].get("trace_id"), task["trace_id"], done)
    require_equal(
        require, "response-is-the-result", task["response"].get("task_id"), task["id"], done
    )
    if task["response"]["success"]:
        require_video_of(require, acedata, done, task["response"], requested=(TEXT, body["prompt"]))
        elapsed, span = task["elapsed"], task["finished_at"] - task["started_at"]
        require(
            RULE + "elapsed-fits", abs(elapsed - span) < 0.01, expected=round(span, 3), got=elapsed,
            by=done,
        )  # fmt: skip
        image = task["response"]["data"][0].get("first_image_url", "not there")
        require_equal(require, "image-as-sent", image, None, done)
    clock = acedata.target.clock
    clock.advance(LATER_S if clock.is_controlled else 0.2)
    later = retrieve(acedata, shown["task_id"])
    require_equal(require, "done-stays-done", known(later.json), known(task), later)


def require_bare(require: Require, accepted: Exchange) -> None:
    """Require that an accepted answer has nothing that a client could take for a result."""
    got = sorted(accepted.json)
    bare = "task_id" in got and not {"data", "error"} & set(got) and b"http" not in accepted.body
    require(RULE + "accepted-is-bare", bare, expected="task_id alone", got=got, by=accepted)


def require_pending(require: Require, poll: Exchange) -> None:
    """Require that an unfinished task is recognised as one by every published client."""
    task = poll.json
    got = {
        "response": task.get("response", "not there"),
        "shown": [name for name in ("finished_at", "elapsed") if task.get(name) is not None],
    }
    require_equal(require, "pending-is-empty", got, {"response": {}, "shown": []}, poll)


def require_forward(require: Require, polls: list[Exchange]) -> None:
    """Require that the constant fields of a task stay the same, and that its times are in order."""
    constant = ("id", "_id", "created_at", "trace_id", "request", "api_id", "user_id")
    for before, now in pairwise(polls):
        was, is_now = before.json, now.json
        kept = {name: is_now.get(name) for name in constant}
        require_equal(
            require, "done-stays-done", kept, {name: was.get(name) for name in constant}, now
        )
    for poll in polls:
        task = poll.json
        named = [name for name in ("status", "state", "success") if name in task]
        require_equal(require, "no-status-field", named, [], poll)
        times = [task[n] for n in ("created_at", "started_at", "finished_at") if task.get(n)]
        require(
            RULE + "done-stays-done", times == sorted(times), expected="created, started, finished",
            got=times, by=poll,
        )  # fmt: skip


def require_video_of(
    require: Require, caller: Caller, by: Exchange, result: Any, *, requested: tuple[str, Any]
) -> None:
    """Require a result with the video that was asked for, and a URL that returns it."""
    (video,) = result["data"]
    got = (video["model"], video["prompt"])
    require_equal(require, "result-as-asked", got, requested, by)
    other = video["id"] != result["task_id"]
    require(RULE + "video-id-is-not-task-id", other, expected="another id", got=video["id"], by=by)
    require_video(require, RULE + "result-is-a-video", caller.target, video["video_url"])


@pytest.mark.price(TEXT, count=4)
@pytest.mark.holds(
    RULE + "held-open-finishes", RULE + "async-false-is-held", RULE + "all-modes-can-be-queried",
    RULE + "one-trace", RULE + "response-is-the-result", RULE + "image-without-need",
    RULE + "result-as-asked", RULE + "image-as-sent", "acedata.VideoResult*",
    "acedata.createVideo.example.minimal",
    "acedata.model.minimax-*",
)  # fmt: skip
@pytest.mark.parametrize(
    ("model", "extra", "rule"),
    [
        (None, {}, "held-open-finishes"),
        (TEXT, {"async": False}, "async-false-is-held"),
        (TEXT, {"first_image_url": IMAGE_URL}, "image-without-need"),
        (IMAGE, {"first_image_url": IMAGE_URL}, "image-as-sent"),
        (DIRECTOR, {"first_image_url": IMAGE_URL}, "image-as-sent"),
    ],
    ids=["plain", "async-false", "image-without-need", "image", "director"],
)
def test_a_held_open_request_is_answered_with_its_video(
    acedata: Caller, model: str | None, extra: dict[str, Any], rule: str, require: Require
) -> None:
    body = request_body(**extra, **({"model": model} if model else {}))
    answer = create(acedata, body)
    result = require_success(require, RULE + rule, answer)
    if model is None:
        require_success(require, "acedata.createVideo.example.minimal", answer)
    require(
        RULE + "held-open-finishes", result.get("success") is True and result.get("data"),
        expected="the finished video", got=result, by=answer,
    )  # fmt: skip
    require_video_of(require, acedata, answer, result, requested=(model or TEXT, body["prompt"]))
    for field in (
        "id",
        "api",
        "is_default",
        "needs_image",
        "needs_prompt",
        "price_credits",
        "clips",
    ):
        require_success(require, f"acedata.model.{model or TEXT}.{field}", answer)
    poll = retrieve(acedata, result["task_id"])
    task = require_success(require, RULE + "all-modes-can-be-queried", poll)
    require_equal(require, "one-trace", task["trace_id"], result["trace_id"], poll)
    require_equal(require, "request-is-echoed", task["request"], body, poll)
    for name in ("success", "task_id", "trace_id"):
        got = task["response"].get(name)
        require_equal(require, "response-is-the-result", got, result[name], poll)
    shown = task["response"]["data"][0]
    require_equal(require, "response-is-the-result", shown["id"], result["data"][0]["id"], poll)
    image = body.get("first_image_url")
    require_equal(require, "image-as-sent", shown.get("first_image_url"), image, poll)
    returned = result["data"][0].get("first_image_url")
    require_equal(require, "image-as-sent", returned, image, answer)


@pytest.mark.price(TEXT, count=3)
@pytest.mark.holds(
    RULE + "callback-answers-at-once", RULE + "accepted-is-bare", RULE + "callback-cannot-harm",
    RULE + "equal-requests-two-tasks",
)  # fmt: skip
def test_a_callback_that_fails_harms_no_task(acedata: Caller, require: Require) -> None:
    ids: list[str] = []
    for extra in ({}, {"async": False}, {"async": True}):
        answer = create(acedata, request_body(callback_url=UNREACHABLE_URL, **extra))
        shown = require_success(require, RULE + "callback-answers-at-once", answer)
        require_bare(require, answer)
        fresh = shown["task_id"] not in ids
        require(RULE + "equal-requests-two-tasks", fresh, expected="a new id", got=shown, by=answer)
        ids.append(shown["task_id"])
    for task_id in ids:
        done = poll_to_the_end(acedata, require, task_id)[-1]
        require_equal(
            require, "callback-cannot-harm", done.json["response"].get("success"), True, done
        )


@pytest.mark.rank(2)
@pytest.mark.price(TEXT, count=2)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(
    RULE + "failed-task-shape", RULE + "held-open-failure", "acedata.error.api_error",
    "acedata.VideoFailure*", "acedata.answer.AceDataFault", RULE + "done-stays-done",
    RULE + "one-trace",
)  # fmt: skip
def test_a_failed_video_is_told_as_a_failure(run: Run, require: Require) -> None:
    caller = run.variant("failing").caller("acedata")
    polls = poll_to_the_end(caller, require, submit(caller, require))
    require_forward(require, polls)
    done = polls[-1]
    response = done.json["response"]
    error = response.get("error")
    got = {
        "status": done.status,
        "success": response.get("success"),
        "code": isinstance(error, dict) and bool(error.get("code")),
        "data": "data" in response,
    }
    expected = {"status": 200, "success": False, "code": True, "data": False}
    require_equal(require, "failed-task-shape", got, expected, done)
    require_equal(require, "one-trace", response.get("trace_id"), done.json["trace_id"], done)
    held = create(caller, request_body())
    require_refusal(require, "acedata", held, "api_error", RULE + "held-open-failure")


@pytest.mark.price(TEXT)
@pytest.mark.needs("variant impatient")
@pytest.mark.holds("acedata.error.timeout", "acedata.answer.AceDataTimeout")
def test_a_request_is_not_held_for_ever(run: Run, require: Require) -> None:
    caller = run.variant("impatient").caller("acedata")
    require_refusal(require, "acedata", create(caller, request_body()), "timeout")
