"""Checks of prompts: their exact limit in every unit, and texts that are not ASCII."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.requirements import require_refusal, require_success
from contract_tests.rivya.generations import create, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE
from contract_tests.target import Caller
from contract_tests.texts import TEXTS
from contract_tests.verdicts import Require

_LONGEST = 1500
# None has more than 1500 characters, whatever is counted: UTF-16 units or code points.
_TAKEN = (*TEXTS, "x", "é" * _LONGEST, "東" * _LONGEST, "🎬" * (_LONGEST // 2))
# Each has more than 1500 characters, whatever is counted.
_REFUSED = (
    "x" * (_LONGEST + 1), "é" * (_LONGEST + 1), "🎬" * (_LONGEST + 1), "x" * 2 * _LONGEST,
    "word " * 300 + "x", "x" * 100_000,
)  # fmt: skip


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP, count=len(_TAKEN))
@pytest.mark.holds(
    RULE + "takes-what-is-valid", "rivya.GenerationRequest.prompt",
    "rivya.model.hailuo-standard.prompt",
)  # fmt: skip
def test_a_prompt_of_any_script_is_taken(rivya: Caller, require: Require) -> None:
    for prompt in _TAKEN:
        created = create(rivya, request_body(prompt=prompt))
        require_success(require, "rivya.model.hailuo-standard.prompt", created)
        for promise_id in ("rivya.GenerationRequest.prompt", RULE + "takes-what-is-valid"):
            require_success(require, promise_id, created)


@pytest.mark.rank(3)
@pytest.mark.price(DEAR, count=3)
@pytest.mark.holds("rivya.model.hailuo-pro.prompt")
def test_hailuo_pro_takes_prompts_up_to_the_same_limit(rivya: Caller, require: Require) -> None:
    for letter in ("x", "é", "東"):
        created = create(rivya, request_body(DEAR, prompt=letter * _LONGEST))
        require_success(require, "rivya.model.hailuo-pro.prompt", created)


@pytest.mark.rank(1)
@pytest.mark.risk(DEAR)
@pytest.mark.holds(
    RULE + "refuses-what-is-invalid", "rivya.GenerationRequest.prompt",
    "rivya.model.hailuo-*.prompt", RULE + "prompts-are-counted-in-utf-16",
)  # fmt: skip
def test_a_prompt_beyond_the_limit_is_refused(rivya: Caller, require: Require) -> None:
    for model in (CHEAP, DEAR):
        for prompt in _REFUSED:
            answer = create(rivya, request_body(model, prompt=prompt))
            promise_ids = (f"rivya.model.{model}.prompt", "rivya.GenerationRequest.prompt")
            rule = RULE + "refuses-what-is-invalid"
            require_refusal(require, "rivya", answer, "validation_failed", *promise_ids, rule)
        answer = create(rivya, request_body(model, prompt="🎬" * (_LONGEST // 2 + 1)))
        rule = RULE + "prompts-are-counted-in-utf-16"
        require_refusal(require, "rivya", answer, "validation_failed", rule)


_VARIATIONS: tuple[dict[str, Any], ...] = (
    {"client_request_id": "é" * 128}, {"client_request_id": "0"}, {"params": {}},
    {"params": {"referenceMediaItems": []}},
    {"params": {"prompt_optimizer": "false", "duration": "6", "resolution": "768P"}},
)  # fmt: skip


@pytest.mark.rank(3)
@pytest.mark.needs("fake")
@pytest.mark.price(CHEAP, count=len(_VARIATIONS))
@pytest.mark.holds(RULE + "takes-what-is-valid", "rivya.GenerationRequest.client_request_id")
def test_optional_fields_may_be_at_their_limits_or_empty(rivya: Caller, require: Require) -> None:
    for fields in _VARIATIONS:
        created = create(rivya, request_body(**fields))
        for promise_id in (
            "rivya.GenerationRequest.client_request_id", RULE + "takes-what-is-valid",
        ):  # fmt: skip
            require_success(require, promise_id, created)
    answer = create(rivya, request_body(client_request_id="é" * 129))
    promise_id = "rivya.GenerationRequest.client_request_id"
    require_refusal(require, "rivya", answer, "validation_failed", promise_id)
