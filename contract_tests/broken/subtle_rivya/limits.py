"""Broken servers of Rivya with limits in another unit, or a little off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer, SentRequest
from contract_tests.broken.rivya.messages import ANY, CREATE, edit, on_answer, on_request, refuse
from contract_tests.broken.subtle_rivya.money import misprice, refused_costs
from contract_tests.broken.subtle_rivya.replays import burn_key


def _refuse_prompt(is_refused: Callable[[str], bool]) -> Callable[[Answer], None]:
    """A change that refuses valid prompts."""

    def change(answer: Answer) -> None:
        body = answer.sent.json
        if answer.status == 200 and is_refused(str(body.get("prompt"))):
            refuse(answer)

    return change


def _cut_prompt(unit: Callable[[str], int]) -> Callable[[SentRequest], None]:
    """A change that makes the server count prompts in another unit: short ones in it are taken."""

    def change(sent: SentRequest) -> None:
        body = sent.json
        prompt = body.get("prompt") if isinstance(body, dict) else None
        if isinstance(prompt, str) and len(prompt) > 700 and unit(prompt) <= 1500:
            sent.json = body | {"prompt": prompt[:700]}

    return change


def _refuse_field(name: str, is_refused: Callable[[Any], bool]) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        body = answer.sent.json
        if answer.status == 200 and name in body and is_refused(body[name]):
            refuse(answer)

    return change


def _crash_beyond(length: int) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        if len(answer.sent.body) > length:
            refuse(answer, "internal_error", 500)

    return change


on_answer("prompts-are-counted-in-bytes", "rule.takes-what-is-valid", CREATE,
          _refuse_prompt(lambda prompt: len(prompt.encode()) > 1500))  # fmt: skip
on_answer("the-limit-is-one-less", "rule.takes-what-is-valid", CREATE,
          _refuse_prompt(lambda prompt: len(prompt) >= 1500))  # fmt: skip
on_request("the-limit-is-one-more", "rule.refuses-what-is-invalid", CREATE,
           _cut_prompt(lambda prompt: len(prompt) - 1))  # fmt: skip
on_request("prompts-are-counted-without-spaces", "rule.refuses-what-is-invalid", CREATE,
           _cut_prompt(lambda prompt: len(prompt.replace(" ", ""))))  # fmt: skip
on_request("prompts-are-counted-in-characters", "rule.prompts-are-counted-in-utf-16", CREATE,
           _cut_prompt(len))  # fmt: skip
on_answer("only-hailuo-standard-has-the-whole-limit", "model.hailuo-pro.prompt", CREATE,
          lambda a: refuse(a) if a.status == 200 and b"-pro" in a.sent.body and
          len(a.sent.json["prompt"]) > 1000 else None)  # fmt: skip
on_answer("prompts-need-a-letter", "rule.takes-what-is-valid", CREATE,
          _refuse_prompt(lambda prompt: prompt in {"0", "null", "false"}))  # fmt: skip
on_answer("emoji-are-refused", "rule.takes-what-is-valid", CREATE,
          _refuse_prompt(lambda prompt: max(prompt, default="") > "\uffff"))  # fmt: skip
on_answer("line-ends-are-refused", "rule.takes-what-is-valid", CREATE,
          _refuse_prompt(lambda prompt: "\n" in prompt))  # fmt: skip
on_answer("long-bodies-crash", "rule.documented-statuses", CREATE, _crash_beyond(50_000))
on_answer(
    "traces-are-counted-in-bytes",
    "rule.takes-what-is-valid",
    CREATE,
    _refuse_field("client_request_id", lambda text: len(str(text).encode()) > 128),
)
on_answer("empty-params-are-refused", "rule.takes-what-is-valid", CREATE,
          _refuse_field("params", lambda params: params == {}))  # fmt: skip


def _in_window(answer: Answer, change: Callable[[Answer, int], None]) -> None:
    """Call `change` with how many requests of the limited key have been refused."""
    if answer.sent.key == "rvya_sk_limited":
        memory = answer.memory
        memory["refused"] = memory.get("refused", 0) + (answer.status == 429)
        change(answer, memory["refused"])


def _wait_whole_window(answer: Answer, _: int) -> None:
    if answer.status == 429:
        answer.headers["retry-after"] = "60"


def _second_window_is_shorter(answer: Answer, refused: int) -> None:
    if refused > 2 and answer.status == 200 and answer.sent.path.endswith("/credits"):
        answer.memory["more"] = answer.memory.get("more", 0) + 1
        if answer.memory["more"] % 3 == 0:
            refuse(answer, "rate_limited", 429)
            answer.headers["retry-after"] = "1"


on_answer("retry-after-is-the-whole-window", "header.RivyaRetryAfter", ANY,
          lambda answer: _in_window(answer, _wait_whole_window))  # fmt: skip
on_answer("the-second-window-allows-less", "rule.limit-has-a-window", ANY,
          lambda answer: _in_window(answer, _second_window_is_shorter))  # fmt: skip
on_answer("a-rate-limit-burns-the-idempotency-key", "rule.refusal-frees-the-key", CREATE,
          burn_key(429))  # fmt: skip
misprice("a-rate-limited-create-is-charged", "rule.refused-creates-nothing", refused_costs(429))
edit(
    "request-ids-repeat-in-a-kind",
    "rule.request-ids-differ",
    ANY,
    lambda e: e["error"].update(requestId="req_" + e["error"]["code"]),
    statuses=range(400, 600),
)
edit("messages-are-empty", "RivyaError.error.message", ANY,
     lambda e: e["error"].update(message=""), statuses=range(400, 600))  # fmt: skip
