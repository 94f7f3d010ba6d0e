"""Broken servers of Ace Data Cloud that repeat requests and results otherwise."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from contract_tests.broken.acedata import ANY, TASKS, on_answer
from contract_tests.broken.broken_server import Answer
from contract_tests.broken.subtle_acedata.tasks import each_task, tasks_in


def _each_request(change: Callable[[Any], Any]) -> Callable[[Answer], None]:
    return each_task(lambda task: task.update(request=change(task["request"])))


def _each_video(change: Callable[[Any], Any]) -> Callable[[Answer], None]:
    """A change of the video of each finished task."""
    return each_task(lambda t: [change(video) for video in t["response"].get("data", ())])


def _text(change: Callable[[str], str], name: str = "prompt") -> Callable[[Any], Any]:
    """A change of a text in an object that has it."""

    def change_text(shown: Any) -> Any:
        if isinstance(shown.get(name), str):
            shown[name] = change(shown[name])
        return shown

    return change_text


def _numbers_for_booleans(shown: Any) -> Any:
    return {name: int(v) if isinstance(v, bool) else v for name, v in shown.items()}


def _without_nothing(shown: Any) -> Any:
    return {name: value for name, value in shown.items() if value is not None}


def _known_only(shown: Any) -> Any:
    known = {"action", "prompt", "model", "first_image_url", "callback_url", "async"}
    return {name: value for name, value in shown.items() if name in known}


def _one_trace(answer: Answer) -> None:
    """Replace the trace of each task, also in its response, by that of the first."""
    shown = answer.json
    if answer.status == 200 and (tasks := tasks_in(shown)):
        for task in tasks:
            trace = answer.memory.setdefault("trace", task["trace_id"])
            task["trace_id"] = trace
            if task["response"]:
                task["response"]["trace_id"] = trace
        answer.json = shown


def _one_url(answer: Answer) -> None:
    """Replace the URL of each video by that of the first."""
    shown = answer.json
    if answer.status == 200 and (tasks := tasks_in(shown)):
        for task in tasks:
            for video in task["response"].get("data", ()):
                video["video_url"] = answer.memory.setdefault("url", video["video_url"])
        answer.json = shown


on_answer("requests-lose-unknown-fields", "rule.request-is-echoed", TASKS,
          _each_request(_known_only))  # fmt: skip
on_answer("requests-lose-nulls", "rule.request-is-echoed", TASKS, _each_request(_without_nothing))
on_answer("requests-have-1-for-true", "rule.request-is-echoed", TASKS,
          _each_request(_numbers_for_booleans))  # fmt: skip
on_answer(
    "requests-have-texts-for-numbers",
    "rule.request-is-echoed",
    TASKS,
    _each_request(lambda r: {n: str(v) if isinstance(v, float) else v for n, v in r.items()}),
)
on_answer("requests-are-ascii", "rule.request-is-echoed", TASKS,
          _each_request(_text(lambda p: p.encode("ascii", "replace").decode())))  # fmt: skip
on_answer("requests-are-cut-at-5000", "rule.request-is-echoed", TASKS,
          _each_request(_text(lambda prompt: prompt[:5000])))  # fmt: skip
on_answer("requests-lose-the-query-of-the-callback", "rule.request-is-echoed", TASKS,
          _each_request(_text(lambda url: url.partition("?")[0], "callback_url")))  # fmt: skip
on_answer("prompts-of-videos-are-trimmed", "rule.result-as-asked", TASKS,
          _each_video(_text(str.strip)))  # fmt: skip
on_answer("prompts-of-videos-are-normalised", "rule.result-as-asked", TASKS,
          _each_video(_text(lambda p: unicodedata.normalize("NFKC", p))))  # fmt: skip
on_answer("prompts-of-videos-are-cut", "rule.result-as-asked", TASKS,
          _each_video(_text(lambda prompt: prompt[:200])))  # fmt: skip
on_answer(
    "image-urls-are-decoded",
    "rule.image-as-sent",
    TASKS,
    _each_video(_text(lambda url: unquote(url).replace(" ", "+"), "first_image_url")),
)
on_answer("image-urls-lose-their-fragment", "rule.image-as-sent", TASKS,
          _each_video(_text(lambda url: url.partition("#")[0], "first_image_url")))  # fmt: skip
on_answer(
    "image-urls-get-a-slash",
    "rule.image-as-sent",
    TASKS,
    _each_video(_text(lambda u: u + "/" if u.count("/") == 2 else u, "first_image_url")),
)
on_answer("models-of-videos-are-the-default", "rule.result-as-asked", TASKS,
          _each_video(lambda video: video.update(model="minimax-t2v")))  # fmt: skip
on_answer("all-tasks-have-one-trace", "rule.trace-ids-differ", ANY, _one_trace)
on_answer("all-videos-have-one-url", "rule.each-task-has-its-own-ids", TASKS, _one_url)
on_answer(
    "times-are-milliseconds",
    "Task.created_at",
    TASKS,
    each_task(lambda t: t.update({n: t[n] * 1000 for n in t if n in {"created_at", "started_at"}})),
)
