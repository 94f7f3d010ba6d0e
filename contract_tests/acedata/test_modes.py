"""Three modes: held open, callback, async; and the task each of them leaves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contract_tests.acedata.videos import (
    DIRECTOR,
    IMAGE,
    IMAGE_URL,
    RULE,
    TEXT,
    ask,
    hold,
    live_to_the_end,
    order,
    retrieve,
    submit,
)
from contract_tests.exchange import Exchange
from contract_tests.refusals import require_refusal, require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

_NOBODY_LISTENS = "http://127.0.0.1:9/callback"
LATER_S = 3600
_MODELS = [(TEXT, {}), (IMAGE, {"first_image_url": IMAGE_URL}),
           (DIRECTOR, {"first_image_url": IMAGE_URL})]  # fmt: skip


def agree(require: Require, rule: str, got: Any, expected: Any, by: Exchange) -> None:
    """Two things must be equal."""
    require(RULE + rule, got == expected, expected=expected, got=got, by=by)


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
    body = order(**{"async": True})
    accepted = ask(acedata, body)
    shown = require_success(require, RULE + "async-answers-at-once", accepted)
    require_bare(require, accepted)
    looks = live_to_the_end(acedata, require, shown["task_id"])
    for look in looks[:-1]:
        require_pending(require, look)
    require_forward(require, looks)
    done = looks[-1]
    task = done.json
    agree(require, "all-modes-can-be-queried", task["id"], shown["task_id"], done)
    agree(require, "request-is-echoed", task["request"], body, done)
    agree(require, "one-trace", task["response"].get("trace_id"), task["trace_id"], done)
    agree(require, "response-is-the-result", task["response"].get("task_id"), task["id"], done)
    if task["response"]["success"]:
        require_video_of(require, acedata, done, task["response"], asked=(TEXT, body["prompt"]))
        elapsed, span = task["elapsed"], task["finished_at"] - task["started_at"]
        require(
            RULE + "elapsed-fits", abs(elapsed - span) < 0.01, expected=round(span, 3), got=elapsed,
            by=done,
        )  # fmt: skip
        image = task["response"]["data"][0].get("first_image_url", "not there")
        agree(require, "image-as-sent", image, None, done)
    time_there = acedata.target.time
    time_there.pass_s(LATER_S if time_there.is_fast else 0.2)
    later = retrieve(acedata, shown["task_id"])
    agree(require, "done-stays-done", later.json, task, later)


def require_bare(require: Require, accepted: Exchange) -> None:
    """The accepted answer must hold nothing that a client could take for a result."""
    got = sorted(accepted.json)
    bare = "task_id" in got and not {"data", "error"} & set(got) and b"http" not in accepted.body
    require(RULE + "accepted-is-bare", bare, expected="task_id alone", got=got, by=accepted)


def require_pending(require: Require, look: Exchange) -> None:
    """A task that goes on must look like one to every published client."""
    task = look.json
    got = {
        "response": task.get("response", "not there"),
        "shown": [name for name in ("finished_at", "elapsed") if task.get(name) is not None],
    }
    agree(require, "pending-is-empty", got, {"response": {}, "shown": []}, look)


def require_forward(require: Require, looks: list[Exchange]) -> None:
    """What a task object says once it must say for ever, and times must follow each other."""
    constant = ("id", "_id", "created_at", "trace_id", "request", "api_id", "user_id")
    for before, now in pairwise(looks):
        was, is_now = before.json, now.json
        kept = {name: is_now.get(name) for name in constant}
        agree(require, "done-stays-done", kept, {name: was.get(name) for name in constant}, now)
    for look in looks:
        task = look.json
        named = [name for name in ("status", "state", "success") if name in task]
        agree(require, "no-status-field", named, [], look)
        times = [task[n] for n in ("created_at", "started_at", "finished_at") if task.get(n)]
        require(
            RULE + "done-stays-done", times == sorted(times), expected="created, started, finished",
            got=times, by=look,
        )  # fmt: skip


def require_video_of(
    require: Require, asker: Caller, by: Exchange, result: Any, *, asked: tuple[str, Any]
) -> None:
    """The result of a success: the video as it was asked for, and a URL that leads to it."""
    (video,) = result["data"]
    got = (video["model"], video["prompt"])
    agree(require, "result-as-asked", got, asked, by)
    other = video["id"] != result["task_id"]
    require(RULE + "video-id-is-not-task-id", other, expected="another id", got=video["id"], by=by)
    answer = asker.target.session.get(video["video_url"], timeout=60)
    kind = answer.headers.get("content-type", "")
    is_video = answer.status_code == 200 and answer.content[4:8] == b"ftyp"
    require(
        RULE + "result-is-a-video", is_video, expected="an MP4",
        got=f"{answer.status_code} {kind} {answer.content[:12]!r}", by=asker.target.door.last,
    )  # fmt: skip


@pytest.mark.rank(3)
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
    body = order(**extra, **({"model": model} if model else {}))
    answer = hold(acedata, body)
    result = require_success(require, RULE + rule, answer)
    if model is None:
        require_success(require, "acedata.createVideo.example.minimal", answer)
    require(
        RULE + "held-open-finishes", result.get("success") is True and result.get("data"),
        expected="the finished video", got=result, by=answer,
    )  # fmt: skip
    require_video_of(require, acedata, answer, result, asked=(model or TEXT, body["prompt"]))
    for fact in (
        "id",
        "api",
        "is_default",
        "needs_image",
        "needs_prompt",
        "price_credits",
        "clips",
    ):
        require_success(require, f"acedata.model.{model or TEXT}.{fact}", answer)
    look = retrieve(acedata, result["task_id"])
    task = require_success(require, RULE + "all-modes-can-be-queried", look)
    agree(require, "one-trace", task["trace_id"], result["trace_id"], look)
    agree(require, "request-is-echoed", task["request"], body, look)
    for name in ("success", "task_id", "trace_id"):
        got = task["response"].get(name)
        agree(require, "response-is-the-result", got, result[name], look)
    shown = task["response"]["data"][0]
    agree(require, "response-is-the-result", shown["id"], result["data"][0]["id"], look)
    image = body.get("first_image_url")
    agree(require, "image-as-sent", shown.get("first_image_url"), image, look)
    told = result["data"][0].get("first_image_url")
    agree(require, "image-as-sent", told, image, answer)


@pytest.mark.rank(3)
@pytest.mark.price(TEXT, count=3)
@pytest.mark.holds(
    RULE + "callback-answers-at-once", RULE + "accepted-is-bare", RULE + "callback-cannot-harm",
    RULE + "equal-requests-two-tasks",
)  # fmt: skip
def test_a_callback_that_fails_harms_no_task(acedata: Caller, require: Require) -> None:
    ids: list[str] = []
    for extra in ({}, {"async": False}, {"async": True}):
        answer = ask(acedata, order(callback_url=_NOBODY_LISTENS, **extra))
        shown = require_success(require, RULE + "callback-answers-at-once", answer)
        require_bare(require, answer)
        fresh = shown["task_id"] not in ids
        require(RULE + "equal-requests-two-tasks", fresh, expected="a new id", got=shown, by=answer)
        ids.append(shown["task_id"])
    for task_id in ids:
        done = live_to_the_end(acedata, require, task_id)[-1]
        agree(require, "callback-cannot-harm", done.json["response"].get("success"), True, done)


@pytest.mark.rank(2)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(
    RULE + "failed-task-shape", RULE + "held-open-failure", "acedata.error.api_error",
    "acedata.VideoFailure*", "acedata.answer.AceDataFault", RULE + "done-stays-done",
    RULE + "one-trace",
)  # fmt: skip
def test_a_failed_video_is_told_as_a_failure(run: Run, require: Require) -> None:
    asker = run.variant("failing").caller("acedata")
    looks = live_to_the_end(asker, require, submit(asker, require))
    require_forward(require, looks)
    done = looks[-1]
    response = done.json["response"]
    error = response.get("error")
    got = {
        "status": done.status,
        "success": response.get("success"),
        "code": isinstance(error, dict) and bool(error.get("code")),
        "data": "data" in response,
    }
    expected = {"status": 200, "success": False, "code": True, "data": False}
    agree(require, "failed-task-shape", got, expected, done)
    agree(require, "one-trace", response.get("trace_id"), done.json["trace_id"], done)
    held = hold(asker, order())
    require_refusal(require, "acedata", held, "api_error", RULE + "held-open-failure")


@pytest.mark.rank(3)
@pytest.mark.needs("variant impatient")
@pytest.mark.holds("acedata.error.timeout", "acedata.answer.AceDataTimeout")
def test_a_request_is_not_held_for_ever(run: Run, require: Require) -> None:
    asker = run.variant("impatient").caller("acedata")
    require_refusal(require, "acedata", hold(asker, order()), "timeout")
