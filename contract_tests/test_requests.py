"""Checks of request bodies: invalid ones are refused, valid ones are accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from contract_tests.contract import Api, contract
from contract_tests.exchange import Exchange
from contract_tests.mutations import Mutation
from contract_tests.promises import promises
from contract_tests.requirements import code_of, require_refusal
from contract_tests.samples import SAMPLES, Sample
from contract_tests.target import Target
from contract_tests.verdicts import Require

_INVALID = {"rivya": "validation_failed", "acedata": "bad_request"}


def _with_each(*paths: str, creates: pytest.MarkDecorator) -> pytest.MarkDecorator:
    """Run a check once for each sample that is sent to one of these paths.

    creates: the mark of the samples that create something with a price.
    """
    return pytest.mark.parametrize(
        "sample",
        [
            pytest.param(
                sample,
                marks=[creates] if sample.path in {"/generations", "/videos"} else [],
                id="-".join([*sample.schema["title"].split(), sample.body.get("action", "")]).strip(
                    "-"
                ),
            )
            for sample in SAMPLES
            if sample.path in paths
        ],
    )


_HELD = (
    "{api}.rule.refuses-what-is-invalid", "rivya.GenerationRequest*", "rivya.ReferenceItem*",
    "rivya.WebhookCreate*", "acedata.VideoRequest*", "acedata.TaskQuery*",
    "rivya.error.validation_failed", "acedata.error.bad_request",
    "rivya.answer.RivyaBadRequest", "acedata.answer.AceDataBadRequest",
    "rivya.answer.RivyaBadWebhookRequest", "rivya.error.webhook_url_rejected",
)  # fmt: skip


def _send_each(
    target: Target, sample: Sample, mutations: Iterable[Mutation]
) -> Iterator[tuple[Mutation, Exchange]]:
    """Send each mutation. Each one with its answer."""
    sent = 0
    for mutation in mutations:
        yield mutation, target.caller(sample.api).post(sample.path, mutation.body)
        sent += 1
    if not sent:
        pytest.skip("no such body")


@pytest.mark.rank(2)
@pytest.mark.holds(*_HELD)
@_with_each("/generations", "/webhooks", "/videos", "/tasks", creates=pytest.mark.risk)
def test_a_body_that_breaks_its_schema_is_refused(
    target: Target, sample: Sample, require: Require
) -> None:
    api = sample.api
    rule = f"{api}.rule.refuses-what-is-invalid"
    for mutation, answer in _send_each(target, sample, sample.mutations().invalid()):
        code = _INVALID[api]
        is_url_rule = mutation.change.startswith(("pattern", "maxLength"))
        if mutation.promise_id == "rivya.WebhookCreate.url" and is_url_rule:
            code = "webhook_url_rejected"
        status = contract().error_codes(api)[code]["x-status"]
        refused = (answer.status, code_of(answer)) == (status, code)
        for promise_id in {mutation.promise_id, rule, f"{api}.error.{code}"}:
            require(
                promise_id, refused, expected=f"{status} {code} for a violated {mutation.change}",
                got=f"{answer.status} {code_of(answer)}", by=answer,
            )  # fmt: skip


@pytest.mark.rank(4)
@pytest.mark.full
@pytest.mark.holds(
    "rivya.rule.takes-what-is-valid", "rivya.GenerationRequest*", "rivya.ReferenceItem*",
    "rivya.WebhookCreate*", "rivya.rule.unknown-fields-ignored", "rivya.model.hailuo-*.prompt",
    "rivya.model.hailuo-*.references*", "rivya.model.hailuo-*.params*",
)  # fmt: skip
@_with_each("/generations", "/webhooks", creates=pytest.mark.price("hailuo-standard", count=40))
def test_a_body_that_keeps_its_schema_is_taken(
    target: Target, sample: Sample, require: Require
) -> None:
    _require_accepted(target, sample, require)


@pytest.mark.rank(4)
@pytest.mark.full
@pytest.mark.holds(
    "acedata.rule.takes-what-is-valid", "acedata.VideoRequest*",
    "acedata.rule.unknown-fields-ignored", "acedata.model.minimax-*.needs_prompt",
)  # fmt: skip
@_with_each("/videos", creates=pytest.mark.price("minimax-t2v", count=40))
def test_a_video_request_that_keeps_its_schema_is_taken(
    target: Target, sample: Sample, require: Require
) -> None:
    _require_accepted(target, sample, require)


def _require_accepted(target: Target, sample: Sample, require: Require) -> None:
    api, path, body = sample.api, sample.path, sample.body
    mutations = [
        mutation
        for mutation in sample.mutations().valid()
        # Without both the request would be held open, which test_modes.py checks.
        if path != "/videos" or "async" in mutation.body or "callback_url" in mutation.body
    ]
    if "model" in body:
        unknown = body | {"mirror": True, "timeout": 5, "x_undocumented": [1]}
        mutations.append(Mutation(f"{api}.rule.unknown-fields-ignored", "unknown fields", unknown))
    for mutation, answer in _send_each(target, sample, mutations):
        promise_ids = {mutation.promise_id, f"{api}.rule.takes-what-is-valid"}
        promise_ids.update(_model_promises(api, mutation.body.get("model", "")))
        for promise_id in promise_ids:
            require(
                promise_id, answer.status < 300, expected=f"2xx for {mutation.change}",
                got=f"{answer.status} {code_of(answer)}", by=answer,
            )  # fmt: skip


def _model_promises(api: Api, model: str) -> Iterator[str]:
    """The promises about a model that an accepted body confirms."""
    names = (
        ("prompt", "references", "references.max_bytes") if api == "rivya" else ("needs_prompt",)
    )
    for name in names:
        if (promise_id := f"{api}.model.{model}.{name}") in promises():
            yield promise_id


# --- rules that no schema has ------------------------------------------------------------------


@pytest.mark.rank(1)
@pytest.mark.risk
@pytest.mark.holds("rivya.rule.model-not-callable", "rivya.GenerationRequest.model")
@pytest.mark.parametrize(
    "model",
    [
        "hailuo-next",
        "studio-sketch",
        "hailuo",
        "HAILUO-PRO",
        "gpt",
        "hailuo-pro ",
        "hailuo_pro",
        "",
    ],
)
def test_a_model_that_cannot_be_called_is_refused(
    target: Target, model: str, require: Require
) -> None:
    answer = target.caller("rivya").post("/generations", {"model": model, "prompt": "x"})
    for rule in ("rivya.rule.model-not-callable", "rivya.GenerationRequest.model"):
        require_refusal(require, "rivya", answer, "validation_failed", rule)


@pytest.mark.rank(1)
@pytest.mark.risk("hailuo-pro")
@pytest.mark.holds("rivya.rule.options-are-strings")
def test_options_are_strings(target: Target, require: Require) -> None:
    params_of: list[tuple[str, dict[str, Any]]] = [
        *(("hailuo-standard", {"prompt_optimizer": value}) for value in (True, "TRUE", "1", "")),
        *(("hailuo-standard", {"duration": value}) for value in (6, 10.0, "6.0", "06", "6s", "8")),
        *(("hailuo-standard", {"resolution": value}) for value in ("512p", "1080P", " 512P", 512)),
        ("hailuo-pro", {"duration": "6"}), ("hailuo-pro", {"resolution": "768P"}),
        ("hailuo-pro", {"prompt_optimizer": None}), ("hailuo-pro", {"Prompt_Optimizer": "true"}),
    ]  # fmt: skip
    for model, params in params_of:
        body = {"model": model, "prompt": "x", "params": params}
        answer = target.caller("rivya").post("/generations", body)
        rule = "rivya.rule.options-are-strings"
        require_refusal(require, "rivya", answer, "validation_failed", rule)


@pytest.mark.rank(1)
@pytest.mark.risk
@pytest.mark.holds("acedata.rule.model-unknown", "acedata.VideoRequest.model")
@pytest.mark.parametrize(
    "model",
    ["T2V-01-Director", "MiniMax-H3", "minimax", "hailuo-pro", "MINIMAX-T2V", "minimax-t2v ", ""],
)
def test_a_foreign_model_is_refused(target: Target, model: str, require: Require) -> None:
    body = {"action": "generate", "prompt": "x", "model": model, "async": True}
    answer = target.caller("acedata").post("/videos", body)
    for rule in ("acedata.rule.model-unknown", "acedata.VideoRequest.model"):
        require_refusal(require, "acedata", answer, "bad_request", rule)


@pytest.mark.rank(1)
@pytest.mark.risk
@pytest.mark.holds(
    "acedata.rule.image-models-need-an-image", "acedata.rule.image-is-a-link",
    "acedata.model.minimax-*.needs_image", "acedata.VideoRequest.first_image_url",
)  # fmt: skip
@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_an_image_model_wants_a_link_to_an_image(
    target: Target, model: str, require: Require
) -> None:
    caller = target.caller("acedata")
    body: dict[str, Any] = {"action": "generate", "prompt": "x", "model": model, "async": True}
    answer = caller.post("/videos", body)
    rules = ("acedata.rule.image-models-need-an-image", f"acedata.model.{model}.needs_image")
    require_refusal(require, "acedata", answer, "bad_request", *rules)
    for image in ("data:image/png;base64,iVBORw0KGgo=", "iVBORw0KGgo=", "file:///etc/passwd"):
        answer = caller.post("/videos", body | {"first_image_url": image})
        rules = ("acedata.rule.image-is-a-link", "acedata.VideoRequest.first_image_url")
        require_refusal(require, "acedata", answer, "bad_request", *rules)


@pytest.mark.rank(2)
@pytest.mark.risk("hailuo-standard")
@pytest.mark.holds("rivya.rule.refused-creates-nothing")
def test_a_refused_generation_costs_nothing(target: Target, require: Require) -> None:
    caller = target.caller("rivya")
    before = caller.get("/credits").json["current_credits"]
    invalid: list[dict[str, Any]] = [
        {"prompt": ""}, {"prompt": 5}, {"params": {"seed": "1"}}, {"files": []},
    ]  # fmt: skip
    for fields in invalid:
        body = {"model": "hailuo-standard", "prompt": "x"} | fields
        require_refusal(require, "rivya", caller.post("/generations", body), "validation_failed")
    now = caller.get("/credits").json["current_credits"]
    require(
        "rivya.rule.refused-creates-nothing", now == before, expected=before, got=now,
        by=target.transport.last,
    )  # fmt: skip
