"""Broken servers of Ace Data Cloud that charge and show failures otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from contract_tests.broken.acedata import (
    ANY,
    TASKS,
    VIDEOS,
    is_batch,
    is_failed,
    is_task,
    on_answer,
    refuse,
)
from contract_tests.broken.broken_server import Answer
from contract_tests.broken.subtle_acedata.tasks import each_task, tasks_in


def _use_up(is_charged: Callable[[Answer, Counter[str]], bool]) -> Callable[[Answer], None]:
    """A change that takes the only credit of an account for another reason."""

    def change(answer: Answer) -> None:
        if answer.sent.key != "one-token":
            return
        memory = answer.memory
        if memory.get("used_up") and answer.status == 200 and answer.sent.path.endswith("videos"):
            refuse(answer, "used_up", 403)
        elif is_charged(answer, memory.setdefault("count", Counter())):
            memory["used_up"] = True

    return change


def _third_failure(answer: Answer, count: Counter[str]) -> bool:
    for task in tasks_in(answer.json):
        if is_failed(task):
            count[task["id"]] += 1
    return len(count) >= 3


def _failed_image(answer: Answer, _: Counter[str]) -> bool:
    return any(is_failed(t) and "first_image_url" in t["request"] for t in tasks_in(answer.json))


def _drop_failed(answer: Answer) -> None:
    if answer.status == 200 and is_batch(answer.json):
        items = [task for task in answer.json["items"] if not is_failed(task)]
        answer.json = {"items": items, "count": len(items)}


def _change_failed(answer: Answer) -> None:
    shown = answer.json
    if answer.status == 200 and is_task(shown) and is_failed(shown):
        count = answer.memory.setdefault("reads", Counter())
        count[shown["id"]] += 1
        if count[shown["id"]] > 1:
            shown["response"]["error"]["message"] = f"failed {count[shown['id']]} times"
            answer.json = shown


on_answer("a-held-failure-is-kept", "rule.failure-gives-back", VIDEOS,
          _use_up(lambda answer, _: answer.status == 500))  # fmt: skip
on_answer("the-third-failure-is-kept", "rule.failure-gives-back", ANY, _use_up(_third_failure))
on_answer("a-failed-image-video-is-kept", "rule.failure-gives-back", ANY, _use_up(_failed_image))
on_answer("a-missing-image-is-charged", "rule.refused-creates-nothing", VIDEOS,
          _use_up(lambda a, _: a.status == 400 and b"i2v" in a.sent.body))  # fmt: skip
on_answer("broken-json-is-charged", "rule.refused-creates-nothing", VIDEOS,
          _use_up(lambda a, _: a.status == 400 and not a.sent.json))  # fmt: skip
on_answer("a-wrong-method-is-charged", "rule.refused-creates-nothing", r"\w+ /hailuo/videos",
          _use_up(lambda answer, _: answer.status == 405))  # fmt: skip
on_answer("failed-tasks-lose-their-request", "rule.request-is-echoed", TASKS,
          each_task(lambda t: t.update(request={}) if is_failed(t) else None))  # fmt: skip
on_answer("failed-tasks-have-another-trace", "rule.response-is-the-result", TASKS, each_task(
    lambda t: t["response"].update(trace_id=t["id"]) if is_failed(t) else None))  # fmt: skip
on_answer("failed-tasks-have-no-message", "rule.failed-task-shape", TASKS, each_task(
    lambda t: t["response"]["error"].update(message="") if is_failed(t) else None))  # fmt: skip
on_answer("batches-leave-out-failed-tasks", "rule.batch-in-order", TASKS,
          _drop_failed)  # fmt: skip
on_answer("failed-tasks-change-when-read-again", "rule.done-stays-done", TASKS,
          _change_failed)  # fmt: skip
on_answer(
    "held-failures-have-data",
    "rule.held-open-failure",
    VIDEOS,
    lambda a: setattr(a, "json", a.json | {"data": []}) if a.status == 500 else None,
)
