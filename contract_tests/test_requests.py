"""Each rule about each field of a request: broken, it is refused; kept, it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from contract_tests.budget import OverBudget
from contract_tests.contract import Api, contract
from contract_tests.exchange import Exchange
from contract_tests.mutations import Mutation
from contract_tests.promises import promises
from contract_tests.refusals import code_of, require_refusal
from contract_tests.samples import SAMPLES, Sample
from contract_tests.target import Target
from contract_tests.verdicts import Require

_INVALID = {"rivya": "validation_failed", "acedata": "bad_request"}


def _with_each(*paths: str) -> pytest.MarkDecorator:
    """Once for each sample that is sent to one of these paths."""
    chosen = [sample for sample in SAMPLES if sample.path in paths]
    names = [
        "-".join([*sample.schema["title"].split(), sample.valid.get("action", "")]).strip("-")
        for sample in chosen
    ]
    return pytest.mark.parametrize("sample", chosen, ids=names)


_HELD = (
    "{api}.rule.refuses-what-is-invalid", "rivya.GenerationRequest*", "rivya.ReferenceItem*",
    "rivya.WebhookCreate*", "acedata.VideoRequest*", "acedata.TaskQuery*",
    "rivya.error.validation_failed", "acedata.error.bad_request",
    "rivya.answer.RivyaBadRequest", "acedata.answer.AceDataBadRequest",
    "rivya.answer.RivyaBadWebhookRequest", "rivya.error.webhook_url_rejected",
)  # fmt: skip


def _affordable(
    target: Target, sample: Sample, mutations: Iterable[Mutation]
) -> Iterator[tuple[Mutation, Exchange]]:
    """Each mutation with its answer, those left out that would cost too much if accepted."""
    asked = 0
    why = ""
    for mutation in mutations:
        try:
            answer = target.caller(sample.api).post(sample.path, mutation.body)
        except OverBudget as error:
            why = str(error)
            continue
        asked += 1
        yield mutation, answer
    if not asked:
        pytest.skip(why or "no such body")


@pytest.mark.rank(2)
@pytest.mark.holds(*_HELD)
@_with_each("/generations", "/webhooks", "/videos", "/tasks")
def test_a_body_that_breaks_its_schema_is_refused(
    target: Target, sample: Sample, require: Require
) -> None:
    api = sample.api
    rule = f"{api}.rule.refuses-what-is-invalid"
    for mutation, answer in _affordable(target, sample, sample.mutations().invalid()):
        code = _INVALID[api]
        if mutation.row.endswith(".url") and mutation.what.startswith(("pattern", "maxLength")):
            code = "webhook_url_rejected" if "Webhook" in mutation.row else code
        status = contract().error_codes(api)[code]["x-status"]
        refused = (answer.status, code_of(answer)) == (status, code)
        for row in {mutation.row, rule, f"{api}.error.{code}"}:
            require(
                row, refused, expected=f"{status} {code} for a broken {mutation.what}",
                got=f"{answer.status} {code_of(answer)}", by=answer,
            )  # fmt: skip


@pytest.mark.rank(4)
@pytest.mark.full
@pytest.mark.price("hailuo-standard", count=40)
@pytest.mark.holds(
    "rivya.rule.takes-what-is-valid", "rivya.GenerationRequest*", "rivya.ReferenceItem*",
    "rivya.WebhookCreate*", "rivya.rule.unknown-fields-ignored", "rivya.model.hailuo-*.prompt",
    "rivya.model.hailuo-*.references*", "rivya.model.hailuo-*.params*",
)  # fmt: skip
@_with_each("/generations", "/webhooks")
def test_a_body_that_keeps_its_schema_is_taken(
    target: Target, sample: Sample, require: Require
) -> None:
    _require_taken(target, sample, require)


@pytest.mark.rank(4)
@pytest.mark.full
@pytest.mark.price("minimax-t2v", count=40)
@pytest.mark.holds(
    "acedata.rule.takes-what-is-valid", "acedata.VideoRequest*",
    "acedata.rule.unknown-fields-ignored", "acedata.model.minimax-*.needs_prompt",
)  # fmt: skip
@_with_each("/videos")
def test_a_video_request_that_keeps_its_schema_is_taken(
    target: Target, sample: Sample, require: Require
) -> None:
    _require_taken(target, sample, require)


def _require_taken(target: Target, sample: Sample, require: Require) -> None:
    api, path, valid = sample.api, sample.path, sample.valid
    mutations = [
        mutation
        for mutation in sample.mutations().valid()
        # Without both it would be held open, which test_modes.py looks at.
        if path != "/videos" or "async" in mutation.body or "callback_url" in mutation.body
    ]
    if "model" in valid:
        strange = valid | {"mirror": True, "timeout": 5, "x_undocumented": [1]}
        mutations.append(Mutation(f"{api}.rule.unknown-fields-ignored", "unknown fields", strange))
    for mutation, answer in _affordable(target, sample, mutations):
        rows = {mutation.row, f"{api}.rule.takes-what-is-valid"}
        rows.update(_facts_of(api, mutation.body.get("model", "")))
        for row in rows:
            require(
                row, answer.status < 300, expected=f"2xx for a valid body ({mutation.what})",
                got=f"{answer.status} {code_of(answer)}", by=answer,
            )  # fmt: skip


def _facts_of(api: Api, model: str) -> Iterator[str]:
    """The facts of a model that a body taken for it bears out."""
    names = (
        ("prompt", "references", "references.max_bytes") if api == "rivya" else ("needs_prompt",)
    )
    for name in names:
        if (row := f"{api}.model.{model}.{name}") in promises():
            yield row


# --- what no schema of a body says ------------------------------------------------------------


@pytest.mark.rank(1)
@pytest.mark.holds("rivya.rule.model-not-callable", "rivya.GenerationRequest.model")
@pytest.mark.parametrize("model", ["hailuo-next", "studio-sketch", "hailuo", "HAILUO-PRO", "gpt"])
def test_a_model_that_cannot_be_called_is_refused(
    target: Target, model: str, require: Require
) -> None:
    answer = target.caller("rivya").post("/generations", {"model": model, "prompt": "x"})
    for rule in ("rivya.rule.model-not-callable", "rivya.GenerationRequest.model"):
        require_refusal(require, "rivya", answer, "validation_failed", rule)


@pytest.mark.rank(1)
@pytest.mark.holds("rivya.rule.options-are-strings")
def test_options_are_strings(target: Target, require: Require) -> None:
    for params in ({"prompt_optimizer": True}, {"duration": 6}, {"duration": 10.0}):
        body = {"model": "hailuo-standard", "prompt": "x", "params": params}
        answer = target.caller("rivya").post("/generations", body)
        rule = "rivya.rule.options-are-strings"
        require_refusal(require, "rivya", answer, "validation_failed", rule)


@pytest.mark.rank(1)
@pytest.mark.holds("acedata.rule.model-unknown", "acedata.VideoRequest.model")
@pytest.mark.parametrize("model", ["T2V-01-Director", "MiniMax-H3", "minimax", "hailuo-pro"])
def test_a_foreign_model_is_refused(target: Target, model: str, require: Require) -> None:
    body = {"action": "generate", "prompt": "x", "model": model, "async": True}
    answer = target.caller("acedata").post("/videos", body)
    for rule in ("acedata.rule.model-unknown", "acedata.VideoRequest.model"):
        require_refusal(require, "acedata", answer, "bad_request", rule)


@pytest.mark.rank(1)
@pytest.mark.holds(
    "acedata.rule.image-models-need-an-image", "acedata.rule.image-is-a-link",
    "acedata.model.minimax-*.needs_image", "acedata.VideoRequest.first_image_url",
)  # fmt: skip
@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_an_image_model_wants_a_link_to_an_image(
    target: Target, model: str, require: Require
) -> None:
    asker = target.caller("acedata")
    body: dict[str, Any] = {"action": "generate", "prompt": "x", "model": model, "async": True}
    answer = asker.post("/videos", body)
    rules = ("acedata.rule.image-models-need-an-image", f"acedata.model.{model}.needs_image")
    require_refusal(require, "acedata", answer, "bad_request", *rules)
    for image in ("data:image/png;base64,iVBORw0KGgo=", "iVBORw0KGgo=", "file:///etc/passwd"):
        answer = asker.post("/videos", body | {"first_image_url": image})
        rules = ("acedata.rule.image-is-a-link", "acedata.VideoRequest.first_image_url")
        require_refusal(require, "acedata", answer, "bad_request", *rules)


@pytest.mark.rank(2)
@pytest.mark.holds("rivya.rule.refused-creates-nothing")
def test_a_refused_generation_costs_nothing(target: Target, require: Require) -> None:
    asker = target.caller("rivya")
    before = asker.get("/credits").json["current_credits"]
    faults: list[dict[str, Any]] = [
        {"prompt": ""}, {"prompt": 5}, {"params": {"seed": "1"}}, {"files": []},
    ]  # fmt: skip
    for broken in faults:
        body = {"model": "hailuo-standard", "prompt": "x"} | broken
        require_refusal(require, "rivya", asker.post("/generations", body), "validation_failed")
    now = asker.get("/credits").json["current_credits"]
    require(
        "rivya.rule.refused-creates-nothing", now == before, expected=before, got=now,
        by=target.door.last,
    )  # fmt: skip
