"""Broken servers of Rivya whose generations and models have another form."""

from __future__ import annotations

from typing import Any

from contract_tests.broken.broken_server import Answer
from contract_tests.broken.changes import drop, put
from contract_tests.broken.rivya.messages import (
    CREATE,
    GENERATION,
    READ,
    edit,
    has_failed,
    has_succeeded,
    is_running,
    on_answer,
    refuse,
)

edit("id-missing", "Generation.id", GENERATION, drop("id"))
edit("id-is-a-number", "Generation.id", GENERATION, lambda g: g.update(id=len(g["id"])))
edit("status-is-done", "Generation.status", GENERATION, put(status="done"), when=has_succeeded)
edit("status-is-internal", "Generation.status", READ, put(status="GENERATING"), when=is_running)
edit("status-missing", "Generation.status", READ, drop("status"))
edit("model-is-a-label", "Generation.model", GENERATION, put(model="Hailuo Pro"))
edit(
    "reserved-is-a-string", "Generation.reserved_credits", GENERATION,
    lambda g: g.update(reserved_credits=str(g["reserved_credits"])),
)  # fmt: skip
edit("reserved-is-another-price", "rule.reserves-the-price", CREATE, put(reserved_credits=58))
edit("reserved-forgotten-at-the-end", "rule.same-object-everywhere", READ,
     put(reserved_credits=0), when=has_succeeded)  # fmt: skip
edit("final-set-too-early", "rule.create-is-queued", CREATE,
     lambda g: g.update(final_credits=g["reserved_credits"]))  # fmt: skip
edit(
    "final-never-set", "rule.success-takes-no-more", READ, put(final_credits=0), when=has_succeeded
)
edit("failed-is-charged", "rule.failed-shape", READ, put(final_credits=30), when=has_failed)
edit("times-without-milliseconds", "Generation.created_at", GENERATION,
     lambda g: g.update(created_at=g["created_at"][:19] + "Z"))  # fmt: skip
edit("times-are-numbers", "Generation.updated_at", GENERATION, put(updated_at=1778457600))
edit("created-moves", "rule.same-object-everywhere", READ,
     lambda g: g.update(created_at=g["updated_at"]))  # fmt: skip
edit("updated-stands-still", "rule.updated-moves-forward", READ,
     lambda g: g.update(updated_at=g["created_at"]))  # fmt: skip
edit("result-is-null", "Generation?then.result", READ, put(result=None), when=has_succeeded)
edit("result-missing", "Generation.result", READ, drop("result"))
edit("result-before-success", "Generation?else?else.result", CREATE,
     put(result={"primary_url": "https://a.test/a", "urls": ["https://a.test/a"]}))  # fmt: skip
edit("primary-is-not-the-first", "rule.one-result", READ,
     lambda g: g["result"].update(primary_url="https://a.test/a"), when=has_succeeded)  # fmt: skip
edit("no-urls", "Generation.result.urls", READ, lambda g: g["result"].update(urls=[]),
     when=has_succeeded)  # fmt: skip
edit("two-results", "rule.one-result", READ,
     lambda g: g["result"]["urls"].append("https://a.test/b.mp4"), when=has_succeeded)  # fmt: skip
edit("error-while-queued", "Generation?else?else.error", CREATE,
     put(error={"code": "generation_failed", "message": "no"}))  # fmt: skip
edit("failure-without-message", "Generation.error.message", READ,
     lambda g: g["error"].pop("message"), when=has_failed)  # fmt: skip
edit("failure-of-another-code", "rule.failed-shape", READ,
     lambda g: g["error"].update(code="upstream_error"), when=has_failed)  # fmt: skip
edit("prompt-is-shown", "rule.no-private-fields", READ, put(prompt="a lighthouse"))
edit("created-as-processing", "rule.create-is-queued", CREATE, put(status="processing"))


def _repeat_id(answer: Answer) -> None:
    shown = answer.json
    if "id" in shown:
        shown["id"] = answer.memory.setdefault("id", shown["id"])
        answer.json = shown


on_answer("ids-repeat", "rule.ids-differ", CREATE, _repeat_id)


def _go_back_to_processing(answer: Answer) -> None:
    if has_succeeded(answer.json):
        answer.memory["ended"] = answer.memory.get("ended", 0) + 1
        if answer.memory["ended"] % 2 == 0:
            answer.json = answer.json | {"status": "processing", "result": None}


on_answer("status-goes-back", "rule.terminal-stays", READ, _go_back_to_processing)


def _forget_ended(answer: Answer) -> None:
    times = answer.memory.setdefault(answer.sent.path, [0])
    times[0] += has_succeeded(answer.json)
    if times[0] > 1:
        refuse(answer, "not_found", 404)


on_answer("ended-generations-vanish", "rule.terminal-stays", READ, _forget_ended)


def _answer_failed_with_500(answer: Answer) -> None:
    if has_failed(answer.json):
        refuse(answer, "internal_error", 500)


on_answer("a-failed-generation-is-a-500", "rule.status-is-200-in-every-state", READ,
          _answer_failed_with_500)  # fmt: skip


MODELS = r"GET /api/v1/models"


def _of_hailuo_pro(change: Any) -> Any:
    return lambda listed: change(next(m for m in listed["data"] if m["id"] == "hailuo-pro"))


edit(
    "list-has-another-price",
    "model.hailuo-pro.price_credits",
    MODELS,
    _of_hailuo_pro(put(base_credits=75)),
)
edit("list-lacks-a-model", "rule.callable-models-listed", MODELS,
     lambda listed: listed.update(data=listed["data"][::2]))  # fmt: skip
edit("list-is-bare", "ModelList.object", MODELS, drop("object"))
edit(
    "another-prompt-limit",
    "model.hailuo-pro.prompt",
    MODELS,
    _of_hailuo_pro(put(max_prompt_length=2000)),
)
edit("params-are-an-object", "Model.params", MODELS, _of_hailuo_pro(put(params={})))
edit("category-is-unknown", "Model.category", MODELS, _of_hailuo_pro(put(category="movie")))
