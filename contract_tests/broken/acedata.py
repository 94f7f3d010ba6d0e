"""Ace Data Cloud's Hailuo videos, broken: one promise each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from contract_tests.broken.breakage import Answered, Catalogue, Outgoing, Sent, drop, put

BROKEN = Catalogue("acedata")
edit, answer, request, delivery = BROKEN.edit, BROKEN.answer, BROKEN.request, BROKEN.delivery

ANY = r"\w+ /hailuo/.*"
VIDEOS = r"POST /hailuo/videos"
TASKS = r"POST /hailuo/tasks"
MINE = "test-token"
ERRORS = range(400, 600)


def is_accepted(shown: Any) -> bool:
    """Whether this is the answer that a job was taken."""
    return set(shown) == {"task_id"}


def is_task(shown: Any) -> bool:
    """Whether this is a task object."""
    return "request" in shown


def is_pending(shown: Any) -> bool:
    """Whether this is a task under way."""
    return is_task(shown) and not shown.get("response")


def is_done(shown: Any) -> bool:
    """Whether this is a task that succeeded."""
    return is_task(shown) and bool(shown.get("response", {}).get("success"))


def is_failed(shown: Any) -> bool:
    """Whether this is a task that failed."""
    return is_task(shown) and shown.get("response", {}).get("success") is False


def is_result(shown: Any) -> bool:
    """Whether this is a finished answer."""
    return "data" in shown


def is_batch(shown: Any) -> bool:
    """Whether this is several tasks."""
    return "items" in shown


def _video(change: Any) -> Any:
    """Edit the video of a finished answer or of a finished task."""
    return lambda shown: change(shown.get("response", shown)["data"][0])


def _has_video(shown: Any) -> bool:
    return is_result(shown) or is_done(shown)


# --- answers to a video request ---------------------------------------------------------------

edit("accepted-says-success", "VideoAccepted.task_id", VIDEOS, put(success=True), when=is_accepted)
edit("accepted-has-data", "rule.accepted-is-bare", VIDEOS, put(data=[]), when=is_accepted)
edit("accepted-calls-it-id", "VideoAccepted.task_id", VIDEOS, lambda a: {"id": a["task_id"]},
     when=is_accepted)  # fmt: skip
edit("task-id-is-no-uuid", "VideoAccepted.task_id", VIDEOS,
     lambda a: a.update(task_id=a["task_id"].replace("-", "")), when=is_accepted)  # fmt: skip
edit("success-is-a-string", "VideoResult.success", VIDEOS, put(success="true"), when=is_result)
edit("video-url-missing", "Video.video_url", ANY, _video(drop("video_url")), when=_has_video)
edit("state-is-success", "Video.state", ANY, _video(put(state="success")), when=_has_video)
edit("video-id-is-the-task-id", "Video.id", VIDEOS,
     lambda r: r["data"][0].update(id=r["task_id"]), when=is_result)  # fmt: skip
edit("video-ids-are-long", "Video.id", ANY, _video(put(id="0" * 30)), when=_has_video)
edit("model-is-not-the-default", "rule.result-as-asked", ANY, _video(put(model="minimax")),
     when=_has_video)  # fmt: skip
edit("prompt-is-rewritten", "rule.result-as-asked", ANY,
     _video(lambda v: v.update(prompt=v["prompt"].lower())), when=_has_video)  # fmt: skip
edit("data-is-an-object", "VideoResult.data", VIDEOS, lambda r: r.update(data=r["data"][0]),
     when=is_result)  # fmt: skip
edit("trace-missing", "VideoResult.trace_id", VIDEOS, drop("trace_id"), when=is_result)
edit("image-is-lost", "rule.image-as-sent", ANY, _video(put(first_image_url=None)), when=_has_video)


def _held(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and body.get("async") is True:
        del body["async"]
        sent.json = body


def _never_held(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and "callback_url" not in body:
        sent.json = body | {"async": True}


def _image_for_all(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and "i2v" in str(body.get("model")) and "first_image_url" not in body:
        sent.json = body | {"first_image_url": "https://cdn.example.com/a.png"}


def _links_only(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and str(body.get("first_image_url")).startswith("data:"):
        sent.json = body | {"first_image_url": "https://cdn.example.com/a.png"}


def _any_model(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and body.get("model") == "MiniMax-H3":
        sent.json = body | {"model": "minimax-t2v"}


def _no_nulls(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict):
        sent.json = {name: value for name, value in body.items() if value is not None}


def _any_action(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict):
        sent.json = body | {"action": "generate"}


request("async-is-held", "rule.async-answers-at-once", VIDEOS, _held)
request("plain-requests-are-not-held", "rule.held-open-finishes", VIDEOS, _never_held)
request("image-models-do-without", "rule.image-models-need-an-image", VIDEOS, _image_for_all)
request("data-urls-pass", "rule.image-is-a-link", VIDEOS, _links_only)
request("foreign-models-pass", "rule.model-unknown", VIDEOS, _any_model)
request("nulls-pass", "rule.null-refused", VIDEOS, _no_nulls)
request("any-action-passes", "VideoRequest.action", VIDEOS, _any_action)


def _refuse(answered: Answered, code: str = "bad_request", status: int = 400) -> None:
    answered.status = status
    error = {"code": code, "message": "no"}
    trace = "2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"
    answered.json = {"success": False, "error": error, "trace_id": trace}


def _strict(answered: Answered) -> None:
    if answered.status == 200 and {"mirror", "timeout"} & set(answered.sent.json):
        _refuse(answered)


def _text_takes_no_image(answered: Answered) -> None:
    body = answered.sent.json
    if answered.status == 200 and body.get("model") == "minimax-t2v" and "first_image_url" in body:
        _refuse(answered)


answer("unknown-fields-are-refused", "rule.unknown-fields-ignored", VIDEOS, _strict)
answer("text-takes-no-image", "rule.image-without-need", VIDEOS, _text_takes_no_image)


# --- tasks ------------------------------------------------------------------------------------

edit("pending-is-null", "rule.pending-is-empty", TASKS, put(response=None), when=is_pending)
edit("pending-has-no-response", "rule.pending-is-empty", TASKS, drop("response"), when=is_pending)
edit("pending-is-finished", "rule.pending-is-empty", TASKS, put(finished_at=1778457601.5),
     when=is_pending)  # fmt: skip
edit("task-has-a-status", "rule.no-status-field", TASKS, put(status="running"), when=is_task)
edit("elapsed-is-in-milliseconds", "rule.elapsed-fits", TASKS,
     lambda t: t.update(elapsed=t["elapsed"] * 1000), when=is_done)  # fmt: skip
edit("times-are-texts", "Task.created_at", TASKS,
     lambda t: t.update(created_at="2026-05-11T00:00:00Z"), when=is_task)  # fmt: skip
edit("starts-before-it-was-made", "rule.done-stays-done", TASKS,
     lambda t: t.update(created_at=t["created_at"] + 100), when=is_done)  # fmt: skip
edit("defaults-are-filled-in", "rule.request-is-echoed", TASKS,
     lambda t: t["request"].setdefault("model", "minimax-t2v"), when=is_task)  # fmt: skip
edit("record-id-missing", "Task._id", TASKS, drop("_id"), when=is_task)
edit("traces-differ", "rule.one-trace", TASKS,
     put(trace_id="2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"), when=is_task)  # fmt: skip
edit("task-is-wrapped", "Task.id", TASKS, lambda t: {"task": t}, when=is_task)
edit("batch-is-reversed", "rule.batch-in-order", TASKS, lambda b: b["items"].reverse(),
     when=is_batch)  # fmt: skip
edit("count-is-one-more", "rule.batch-in-order", TASKS, lambda b: b.update(count=b["count"] + 1),
     when=is_batch)  # fmt: skip
edit("count-is-a-string", "TaskBatch.count", TASKS, lambda b: b.update(count=str(b["count"])),
     when=is_batch)  # fmt: skip
edit("batch-shows-less", "rule.batch-shows-the-same", TASKS,
     lambda b: [item.pop("started_at", None) or item.update(request={}) for item in b["items"]],
     when=is_batch)  # fmt: skip


def _unknown_as_null(answered: Answered) -> None:
    if is_batch(answered.json):
        found = {item["id"]: item for item in answered.json["items"]}
        items = [found.get(task_id) for task_id in answered.sent.json.get("ids", [])]
        answered.json = {"items": items, "count": len(items)}


def _goes_back(answered: Answered) -> None:
    if is_done(answered.json):
        times = answered.memory.setdefault(answered.json["id"], [0])
        times[0] += 1
        if times[0] > 1:
            task = answered.json
            task["response"] = {}
            answered.json = task


def _null_for_unknown(answered: Answered) -> None:
    if answered.status == 404:
        answered.status, answered.body = 200, b"null"


def _no_default(answered: Answered) -> None:
    if answered.status == 200 and "action" not in answered.sent.json:
        _refuse(answered)


def _delete(answered: Answered) -> None:
    if answered.sent.json.get("action") == "delete":
        answered.status = 200
        answered.json = {"id": answered.sent.json.get("id"), "deleted": True}


answer("unknown-tasks-are-null", "rule.batch-leaves-out-unknown", TASKS, _unknown_as_null)
answer("done-tasks-start-again", "rule.done-stays-done", TASKS, _goes_back)
answer("unknown-task-is-200-null", "error.task_not_found", TASKS, _null_for_unknown)
answer("action-is-needed", "rule.retrieve-is-the-default", TASKS, _no_default)
answer("delete-works", "rule.other-actions-refused", TASKS, _delete)


def _task_id_as_id(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and "task_id" in body:
        sent.json = body | {"id": body["task_id"]}


request("task-id-is-a-name", "rule.task-id-is-no-name", TASKS, _task_id_as_id)
edit("failed-says-success", "rule.failed-task-shape", TASKS,
     lambda t: t["response"].update(success=True), when=is_failed)  # fmt: skip
edit("failed-error-is-a-text", "VideoFailure.error", TASKS,
     lambda t: t["response"].update(error="api_error"), when=is_failed)  # fmt: skip
edit("failed-has-data", "rule.failed-task-shape", TASKS, lambda t: t["response"].update(data=[]),
     when=is_failed)  # fmt: skip


def _fails_politely(answered: Answered) -> None:
    if answered.status == 500:
        answered.status = 200


answer("held-failure-is-a-200", "rule.held-open-failure", VIDEOS, _fails_politely)


# --- tokens, errors, money --------------------------------------------------------------------


def _status(wrong: int, *codes: str) -> Any:
    def change(answered: Answered) -> None:
        error = answered.json.get("error") if isinstance(answered.json, dict) else None
        if isinstance(error, dict) and error.get("code") in codes:
            answered.status = wrong

    return change


def _code(right: str, wrong: str) -> Any:
    def change(answered: Answered) -> None:
        if answered.status >= 400:
            answered.body = answered.body.replace(f'"{right}"'.encode(), f'"{wrong}"'.encode())

    return change


def _let_in(*tokens: str) -> Any:
    def change(sent: Sent) -> None:
        if sent.key in tokens:
            sent.key = MINE

    return change


def _everybody(sent: Sent) -> None:
    if "authorization" not in sent.headers:
        sent.key = MINE


def _any_case(sent: Sent) -> None:
    scheme, _, token = sent.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        sent.key = token


answer("no-token-is-401", "error.no_token", ANY, _status(401, "no_token"))
answer("mismatched-is-called-invalid", "error.token_mismatched", ANY,
       _code("token_mismatched", "invalid_token"))  # fmt: skip
answer("disabled-is-403", "error.disabled", ANY, _status(403, "disabled"))
answer("used-up-is-402", "error.used_up", VIDEOS, _status(402, "used_up"))
answer("limit-is-403", "error.too_many_requests", ANY, _status(403, "too_many_requests"))
answer("timeout-is-500", "error.timeout", VIDEOS, _status(500, "timeout"))
answer("moderation-is-400", "error.forbidden", VIDEOS, _status(400, "forbidden"))
edit("error-says-success", "AceDataError.success", ANY, put(success=True), statuses=ERRORS)
edit("error-lacks-success", "AceDataError.success", ANY, drop("success"), statuses=ERRORS)
edit("error-is-a-text", "AceDataError.error", ANY, put(error="bad_request"), statuses=ERRORS)
edit("traces-repeat", "rule.trace-ids-differ", ANY,
     put(trace_id="2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"), statuses=ERRORS)  # fmt: skip
edit("messages-have-brackets", "rule.no-square-brackets", VIDEOS,
     lambda e: e["error"].update(message="[prompt] is wrong"), statuses=ERRORS)  # fmt: skip
request("no-token-needed", "rule.every-operation-needs-a-token", ANY, _everybody)
request("case-does-not-matter", "rule.prefix-is-case-sensitive", ANY, _any_case)
request("expired-tokens-work", "error.token_expired", ANY, _let_in("expired-token"))
request("disabled-tokens-work", "error.disabled", ANY, _let_in("disabled-token"))
request("limits-are-ignored", "error.too_many_requests", ANY, _let_in("limited-token"))
request("strangers-see-tasks", "rule.foreign-as-unknown", TASKS, _let_in("second-token"))
request("the-poor-are-served", "rule.too-poor", VIDEOS, _let_in("poor-token"))
request("credits-for-one-pay-for-two", "rule.never-negative", VIDEOS, _let_in("one-token"))


def _charges_anyway(answered: Answered) -> None:
    """A refused request uses the account up."""
    key = answered.sent.key
    if answered.status == 400 and key == "one-token":
        answered.memory["spent"] = True
    elif answered.memory.get("spent") and key == "one-token" and answered.status == 200:
        _refuse(answered, "used_up", 403)


def _not_given_back(answered: Answered) -> None:
    key = answered.sent.key
    if answered.status == 200 and key == "one-token":
        if answered.memory.get("spent"):
            _refuse(answered, "used_up", 403)
        answered.memory["spent"] = True


answer("refusals-are-charged", "rule.refused-creates-nothing", VIDEOS, _charges_anyway)
answer("failures-are-kept", "rule.failure-gives-back", VIDEOS, _not_given_back)


def _ndjson(answered: Answered) -> None:
    if answered.sent.headers.get("accept") == "application/x-ndjson":
        answered.headers["content-type"] = "application/x-ndjson"


answer("ndjson-on-demand", "rule.answers-are-objects", VIDEOS, _ndjson)


def _no_video(answered: Answered) -> None:
    answered.headers["content-type"] = "text/html"
    answered.body = b"<html>video</html>"


answer("videos-are-pages", "rule.result-is-a-video", r"GET /media/[^/]+/[^/]+\.mp4", _no_video)


# --- callbacks --------------------------------------------------------------------------------


def _never(out: Outgoing) -> None:
    out.times = 0


def _twice(out: Outgoing) -> None:
    out.times = 2


def _other_id(out: Outgoing) -> None:
    out.json = out.json | {"task_id": "2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"}


def _form(out: Outgoing) -> None:
    out.headers["content-type"] = "application/x-www-form-urlencoded"
    out.body = urlencode({"task_id": out.json["task_id"]}).encode()


def _without_data(out: Outgoing) -> None:
    out.json = {name: value for name, value in out.json.items() if name != "data"}


def _failure_is_success(out: Outgoing) -> None:
    if out.json.get("success") is False:
        out.json = out.json | {"success": True}


def _signed(out: Outgoing) -> None:
    out.headers["x-callback-signature"] = "0" * 64


delivery("callbacks-never-come", "rule.callback-comes-once", _never)
delivery("callbacks-come-twice", "rule.callback-comes-once", _twice)
delivery("callbacks-name-another-task", "rule.callback-comes-once", _other_id)
delivery("callbacks-are-forms", "rule.callback-comes-once", _form)
delivery("callbacks-lack-the-video", "rule.callback-is-the-result", _without_data)
delivery("failures-are-called-back-as-success", "rule.callback-of-failure", _failure_is_success)
delivery("callbacks-are-signed", "rule.not-signed", _signed)
