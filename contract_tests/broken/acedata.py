"""The broken servers of Ace Data Cloud."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from contract_tests.broken.broken_server import Answer, BrokenServers, Delivery, SentRequest
from contract_tests.broken.changes import drop, put, wrong_code, wrong_status
from contract_tests.broken.key_changes import accept_keys, accept_no_key

BROKEN = BrokenServers("acedata")
edit, on_answer = BROKEN.edit, BROKEN.on_answer
on_request, on_body, on_delivery = BROKEN.on_request, BROKEN.on_body, BROKEN.on_delivery
ERRORS = range(400, 600)

ANY = r"\w+ /hailuo/.*"
VIDEOS = r"POST /hailuo/videos"
TASKS = r"POST /hailuo/tasks"


def is_accepted(shown: Any) -> bool:
    """Whether the object is the answer to an accepted request."""
    return set(shown) == {"task_id"}


def is_task(shown: Any) -> bool:
    """Whether the object is a task."""
    return "request" in shown


def is_pending(shown: Any) -> bool:
    """Whether the object is an unfinished task."""
    return is_task(shown) and not shown.get("response")


def is_done(shown: Any) -> bool:
    """Whether the object is a task that succeeded."""
    return is_task(shown) and bool(shown.get("response", {}).get("success"))


def is_failed(shown: Any) -> bool:
    """Whether the object is a task that failed."""
    return is_task(shown) and shown.get("response", {}).get("success") is False


def is_result(shown: Any) -> bool:
    """Whether the object is a result."""
    return "data" in shown


def is_batch(shown: Any) -> bool:
    """Whether the object is a batch of tasks."""
    return "items" in shown


def _video(change: Any) -> Any:
    """A change of the video in a result or in a finished task."""
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


def _drop_async(body: Any) -> None:
    if body.get("async") is True:
        del body["async"]


def _add_async(body: Any) -> None:
    if "callback_url" not in body:
        body["async"] = True


def _add_image(body: Any) -> None:
    if "i2v" in str(body.get("model")) and "first_image_url" not in body:
        body["first_image_url"] = "https://cdn.example.com/a.png"


def _replace_data_url(body: Any) -> None:
    if str(body.get("first_image_url")).startswith("data:"):
        body["first_image_url"] = "https://cdn.example.com/a.png"


def _replace_model(body: Any) -> None:
    if body.get("model") == "MiniMax-H3":
        body["model"] = "minimax-t2v"


def _drop_nulls(body: Any) -> None:
    for name in [name for name, value in body.items() if value is None]:
        del body[name]


on_body("async-is-held", "rule.async-answers-at-once", VIDEOS, _drop_async)
on_body("plain-requests-are-not-held", "rule.held-open-finishes", VIDEOS, _add_async)
on_body("image-models-do-without", "rule.image-models-need-an-image", VIDEOS, _add_image)
on_body("data-urls-pass", "rule.image-is-a-link", VIDEOS, _replace_data_url)
on_body("foreign-models-pass", "rule.model-unknown", VIDEOS, _replace_model)
on_body("nulls-pass", "rule.null-refused", VIDEOS, _drop_nulls)
on_body("any-action-passes", "VideoRequest.action", VIDEOS, put(action="generate"))


def refuse(answer: Answer, code: str = "bad_request", status: int = 400) -> None:
    """Replace an answer by an error."""
    answer.status = status
    error = {"code": code, "message": "no"}
    trace = "2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"
    answer.json = {"success": False, "error": error, "trace_id": trace}


def _refuse_unknown_fields(answer: Answer) -> None:
    if answer.status == 200 and {"mirror", "timeout"} & set(answer.sent.json):
        refuse(answer)


def _refuse_image(answer: Answer) -> None:
    body = answer.sent.json
    if answer.status == 200 and body.get("model") == "minimax-t2v" and "first_image_url" in body:
        refuse(answer)


on_answer(
    "unknown-fields-are-refused", "rule.unknown-fields-ignored", VIDEOS, _refuse_unknown_fields
)
on_answer("text-takes-no-image", "rule.image-without-need", VIDEOS, _refuse_image)


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


def _show_unknown_as_null(answer: Answer) -> None:
    if is_batch(answer.json):
        found = {item["id"]: item for item in answer.json["items"]}
        items = [found.get(task_id) for task_id in answer.sent.json.get("ids", [])]
        answer.json = {"items": items, "count": len(items)}


def _go_back_to_pending(answer: Answer) -> None:
    if is_done(answer.json):
        times = answer.memory.setdefault(answer.json["id"], [0])
        times[0] += 1
        if times[0] > 1:
            task = answer.json
            task["response"] = {}
            answer.json = task


def _answer_null(answer: Answer) -> None:
    if answer.status == 404:
        answer.status, answer.body = 200, b"null"


def _require_action(answer: Answer) -> None:
    if answer.status == 200 and "action" not in answer.sent.json:
        refuse(answer)


def _allow_delete(answer: Answer) -> None:
    if answer.sent.json.get("action") == "delete":
        answer.status = 200
        answer.json = {"id": answer.sent.json.get("id"), "deleted": True}


on_answer("unknown-tasks-are-null", "rule.batch-leaves-out-unknown", TASKS, _show_unknown_as_null)
on_answer("done-tasks-start-again", "rule.done-stays-done", TASKS, _go_back_to_pending)
on_answer("unknown-task-is-200-null", "error.task_not_found", TASKS, _answer_null)
on_answer("action-is-needed", "rule.retrieve-is-the-default", TASKS, _require_action)
on_answer("delete-works", "rule.other-actions-refused", TASKS, _allow_delete)


def _rename_task_id(body: Any) -> None:
    if "task_id" in body:
        body["id"] = body["task_id"]


on_body("task-id-is-a-name", "rule.task-id-is-no-name", TASKS, _rename_task_id)
edit("failed-says-success", "rule.failed-task-shape", TASKS,
     lambda t: t["response"].update(success=True), when=is_failed)  # fmt: skip
edit("failed-error-is-a-text", "VideoFailure.error", TASKS,
     lambda t: t["response"].update(error="api_error"), when=is_failed)  # fmt: skip
edit("failed-has-data", "rule.failed-task-shape", TASKS, lambda t: t["response"].update(data=[]),
     when=is_failed)  # fmt: skip


def _answer_failure_with_200(answer: Answer) -> None:
    if answer.status == 500:
        answer.status = 200


on_answer("held-failure-is-a-200", "rule.held-open-failure", VIDEOS, _answer_failure_with_200)


# --- tokens, errors, money --------------------------------------------------------------------


def _ignore_case(sent: SentRequest) -> None:
    scheme, _, token = sent.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        sent.key = token


on_answer("no-token-is-401", "error.no_token", ANY, wrong_status(401, "no_token"))
on_answer("mismatched-is-called-invalid", "error.token_mismatched", ANY,
          wrong_code("token_mismatched", "invalid_token"))  # fmt: skip
on_answer("disabled-is-403", "error.disabled", ANY, wrong_status(403, "disabled"))
on_answer("used-up-is-402", "error.used_up", VIDEOS, wrong_status(402, "used_up"))
on_answer("limit-is-403", "error.too_many_requests", ANY, wrong_status(403, "too_many_requests"))
on_answer("timeout-is-500", "error.timeout", VIDEOS, wrong_status(500, "timeout"))
on_answer("moderation-is-400", "error.forbidden", VIDEOS, wrong_status(400, "forbidden"))
edit("error-says-success", "AceDataError.success", ANY, put(success=True), statuses=ERRORS)
edit("error-lacks-success", "AceDataError.success", ANY, drop("success"), statuses=ERRORS)
edit("error-is-a-text", "AceDataError.error", ANY, put(error="bad_request"), statuses=ERRORS)
edit("traces-repeat", "rule.trace-ids-differ", ANY,
     put(trace_id="2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"), statuses=ERRORS)  # fmt: skip
edit("messages-have-brackets", "rule.no-square-brackets", VIDEOS,
     lambda e: e["error"].update(message="[prompt] is wrong"), statuses=ERRORS)  # fmt: skip
on_request("no-token-needed", "rule.every-operation-needs-a-token", ANY, accept_no_key)
on_request("case-does-not-matter", "rule.prefix-is-case-sensitive", ANY, _ignore_case)
on_request("expired-tokens-work", "error.token_expired", ANY, accept_keys("expired-token"))
on_request("disabled-tokens-work", "error.disabled", ANY, accept_keys("disabled-token"))
on_request("limits-are-ignored", "error.too_many_requests", ANY, accept_keys("limited-token"))
on_request("strangers-see-tasks", "rule.foreign-as-unknown", TASKS, accept_keys("second-token"))
on_request("the-poor-are-served", "rule.too-poor", VIDEOS, accept_keys("poor-token"))
on_request("credits-for-one-pay-for-two", "rule.never-negative", VIDEOS, accept_keys("one-token"))


def _charge_refusals(answer: Answer) -> None:
    """Charge refused requests."""
    key = answer.sent.key
    if answer.status == 400 and key == "one-token":
        answer.memory["spent"] = True
    elif answer.memory.get("spent") and key == "one-token" and answer.status == 200:
        refuse(answer, "used_up", 403)


def _keep_credits(answer: Answer) -> None:
    key = answer.sent.key
    if answer.status == 200 and key == "one-token":
        if answer.memory.get("spent"):
            refuse(answer, "used_up", 403)
        answer.memory["spent"] = True


on_answer("refusals-are-charged", "rule.refused-creates-nothing", VIDEOS, _charge_refusals)
on_answer("failures-are-kept", "rule.failure-gives-back", VIDEOS, _keep_credits)


def _answer_ndjson(answer: Answer) -> None:
    if answer.sent.headers.get("accept") == "application/x-ndjson":
        answer.headers["content-type"] = "application/x-ndjson"


on_answer("ndjson-on-demand", "rule.answers-are-objects", VIDEOS, _answer_ndjson)


def _replace_video(answer: Answer) -> None:
    answer.headers["content-type"] = "text/html"
    answer.body = b"<html>video</html>"


on_answer(
    "videos-are-pages", "rule.result-is-a-video", r"GET /media/[^/]+/[^/]+\.mp4", _replace_video
)


# --- callbacks --------------------------------------------------------------------------------


def _send_never(delivery: Delivery) -> None:
    delivery.copies = 0


def _send_twice(delivery: Delivery) -> None:
    delivery.copies = 2


def _change_task_id(delivery: Delivery) -> None:
    delivery.json = delivery.json | {"task_id": "2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"}


def _send_form(delivery: Delivery) -> None:
    delivery.headers["content-type"] = "application/x-www-form-urlencoded"
    delivery.body = urlencode({"task_id": delivery.json["task_id"]}).encode()


def _drop_data(delivery: Delivery) -> None:
    delivery.json = {name: value for name, value in delivery.json.items() if name != "data"}


def _change_failure_to_success(delivery: Delivery) -> None:
    if delivery.json.get("success") is False:
        delivery.json = delivery.json | {"success": True}


def _add_signature(delivery: Delivery) -> None:
    delivery.headers["x-callback-signature"] = "0" * 64


on_delivery("callbacks-never-come", "rule.callback-comes-once", _send_never)
on_delivery("callbacks-come-twice", "rule.callback-comes-once", _send_twice)
on_delivery("callbacks-name-another-task", "rule.callback-comes-once", _change_task_id)
on_delivery("callbacks-are-forms", "rule.callback-comes-once", _send_form)
on_delivery("callbacks-lack-the-video", "rule.callback-is-the-result", _drop_data)
on_delivery(
    "failures-are-called-back-as-success", "rule.callback-of-failure", _change_failure_to_success
)
on_delivery("callbacks-are-signed", "rule.not-signed", _add_signature)
