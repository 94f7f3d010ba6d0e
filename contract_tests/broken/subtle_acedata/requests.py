"""Broken servers of Ace Data Cloud that take requests otherwise beside the examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.acedata import VIDEOS, on_answer, on_body, refuse
from contract_tests.broken.broken_server import Answer


def _share_by(header: str) -> Callable[[Answer], None]:
    """A change that answers two creates with the same header alike."""

    def change(answer: Answer) -> None:
        value = answer.sent.headers.get(header)
        if value and answer.status == 200:
            answer.body = answer.memory.setdefault(value, answer.body)

    return change


def _refuse_prompt(is_refused: Callable[[str], bool]) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        body = answer.sent.json
        if answer.status == 200 and isinstance(body, dict) and is_refused(body.get("prompt", "")):
            refuse(answer)

    return change


on_answer("idempotency-keys-make-one-task", "rule.equal-requests-two-tasks", VIDEOS,
          _share_by("idempotency-key"))  # fmt: skip
on_answer("request-ids-make-one-task", "rule.equal-requests-two-tasks", VIDEOS,
          _share_by("x-request-id"))  # fmt: skip
on_answer("long-prompts-are-refused", "rule.takes-what-is-valid", VIDEOS,
          _refuse_prompt(lambda prompt: len(prompt) > 7000))  # fmt: skip
on_answer("prompts-need-a-letter", "rule.takes-what-is-valid", VIDEOS,
          _refuse_prompt(lambda prompt: prompt in {"0", "null", "false"}))  # fmt: skip
on_answer("emoji-are-refused", "rule.takes-what-is-valid", VIDEOS,
          _refuse_prompt(lambda prompt: max(prompt, default="") > "\uffff"))  # fmt: skip


def _change_text(name: str, change: Callable[[str], str]) -> Callable[[Any], None]:
    """A change of one text in a body."""

    def change_text(body: Any) -> None:
        if isinstance(body.get(name), str):
            body[name] = change(body[name])

    return change_text


on_body("models-have-any-case", "rule.model-unknown", VIDEOS, _change_text("model", str.lower))
on_body(
    "names-of-models-are-trimmed", "rule.model-unknown", VIDEOS, _change_text("model", str.strip)
)
on_body("actions-have-any-case", "rule.refuses-what-is-invalid", VIDEOS,
        _change_text("action", str.lower))  # fmt: skip
