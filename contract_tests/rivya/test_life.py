"""Checks of one generation from its create to its end."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.requirements import (
    code_of,
    require_refusal,
    require_same_message,
    require_success,
    require_video,
)
from contract_tests.rivya.generations import History, create, credits_of, read, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE, require_equal
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

LATER_S = 3600


@pytest.mark.rank(-1)
@pytest.mark.price(CHEAP)
@pytest.mark.holds(
    *(
        RULE + name
        for name in (
            "create-is-queued", "reserves-the-price", "states-go-forward", "terminal-stays",
            "same-object-everywhere", "updated-moves-forward", "one-result", "result-is-a-video",
            "no-private-fields", "status-is-200-in-every-state", "create-takes-the-price",
            "success-takes-no-more", "takes-what-is-valid", "listed-price-is-charged",
            "replay-is-one-task", "replay-is-one-charge",
        )
    ),
    "rivya.createGeneration.200", "rivya.getGeneration.200", "rivya.getCredits.200",
    "rivya.Generation*", "rivya.Credits*", "rivya.parameter.IdempotencyKey",
    "rivya.getGeneration.taskId", "rivya.model.hailuo-standard.price_credits",
    "rivya.model.hailuo-standard.clips", "rivya.model.hailuo-standard.api",
)  # fmt: skip
def test_one_generation_lives_as_promised(rivya: Caller, run: Run, require: Require) -> None:
    before = credits_of(rivya, require)
    key = f"check-{run.nonce}-{run.transport.sent}"
    created = create(rivya, key=key)
    shown = require_success(require, RULE + "takes-what-is-valid", created)
    price = run.prices.of("rivya", CHEAP)
    require_queued(require, created, CHEAP, price)
    history = History(require)
    history.add(created)
    after = credits_of(rivya, require)
    require_equal(require, "create-takes-the-price", after, before - price, run.transport.last)

    history.poll_to_the_end(rivya)
    if history.last["status"] == "succeeded":
        require_success_of(require, rivya, history.answers[-1], price)
    rivya.target.clock.advance(LATER_S if rivya.target.clock.is_controlled else 0.2)
    later = read(rivya, shown["id"])
    history.add(later)
    require_success(require, "rivya.getGeneration.taskId", later)
    spare_credits = run.plan.spare_credits  # a server that breaks the contract charges a replay
    if spare_credits is None or spare_credits >= price:
        again = create(rivya, key=key)
        got = again.json.get("id")
        require_equal(require, "replay-is-one-task", got, shown["id"], again)
        now = credits_of(rivya, require)
        require_equal(require, "replay-is-one-charge", now, after, again)


def require_queued(require: Require, created: Exchange, model: str, price: int) -> None:
    """Require the answer to a create: a queued generation with its price."""
    shown = created.json
    got = {name: shown.get(name) for name in ("status", "model", "final_credits", "result")}
    expected: dict[str, Any] = {
        "status": "queued", "model": model, "final_credits": 0, "result": None,
    }  # fmt: skip
    require_equal(require, "create-is-queued", got, expected, created)
    times = (shown["created_at"], shown["updated_at"])
    require(
        RULE + "create-is-queued", times[0] == times[1], expected="one time", got=times, by=created
    )
    for rule in ("reserves-the-price", "listed-price-is-charged"):
        reserved = shown["reserved_credits"]
        require_equal(require, rule, reserved, price, created)
    promise_id = f"rivya.model.{model}.price_credits"
    require(promise_id, reserved == price, expected=price, got=reserved, by=created)


def require_success_of(require: Require, caller: Caller, ended: Exchange, price: int) -> None:
    """Require the fields of a generation that succeeded, and the video at its URL."""
    shown = ended.json
    final = shown["final_credits"]
    require_equal(require, "success-takes-no-more", final, price, ended)
    result = shown["result"]
    one = len(result["urls"]) == 1 and result["urls"][0] == result["primary_url"]
    require(RULE + "one-result", one, expected="one URL, twice", got=result, by=ended)
    promise_id, url = RULE + "result-is-a-video", result["primary_url"]
    require_video(require, promise_id, caller.target, url, content_type="mp4")


def documented_request(run: Run, name: str) -> Any:
    """The body of a request that the OpenAPI document has as an example."""
    operation = run.contract.document["paths"]["/api/v1/generations"]["post"]
    return operation["requestBody"]["content"]["application/json"]["examples"][name]["value"]


@pytest.mark.rank(3)
@pytest.mark.price(DEAR)
@pytest.mark.holds(
    RULE + "reserves-the-price", RULE + "create-is-queued", RULE + "result-is-a-video",
    "rivya.model.hailuo-pro.price_credits", "rivya.model.hailuo-pro.clips",
    "rivya.model.hailuo-pro.api", "rivya.createGeneration.example.*",
)  # fmt: skip
def test_the_documented_request_is_taken(rivya: Caller, run: Run, require: Require) -> None:
    created = create(rivya, documented_request(run, "minimal"))
    require_success(require, "rivya.createGeneration.example.minimal", created)
    require_queued(require, created, DEAR, run.prices.of("rivya", DEAR))
    history = History(require)
    history.add(created)
    history.poll_to_the_end(rivya)
    if history.last["status"] == "succeeded":
        require_success_of(require, rivya, history.answers[-1], run.prices.of("rivya", DEAR))


@pytest.mark.rank(3)
@pytest.mark.price(DEAR)
@pytest.mark.holds("rivya.createGeneration.example.reference_file")
def test_the_documented_request_with_a_reference_is_taken(
    rivya: Caller, run: Run, require: Require
) -> None:
    created = create(rivya, documented_request(run, "reference_file"))
    require_success(require, "rivya.createGeneration.example.reference_file", created)


@pytest.mark.rank(4)
@pytest.mark.price(CHEAP, count=4)
@pytest.mark.holds(
    RULE + "standard-has-one-price", "rivya.model.hailuo-standard.params.*",
    RULE + "ids-differ", "rivya.GenerationRequest.params",
)  # fmt: skip
def test_hailuo_standard_has_one_price(rivya: Caller, require: Require) -> None:
    ids: set[str] = set()
    for duration in ("6", "10"):
        for resolution in ("512P", "768P"):
            params = {"duration": duration, "resolution": resolution, "prompt_optimizer": "true"}
            created = create(rivya, request_body(params=params))
            for index in range(3):
                require_success(require, f"rivya.model.hailuo-standard.params.{index}", created)
            reserved = created.json["reserved_credits"]
            require_equal(require, "standard-has-one-price", reserved, 30, created)
            fresh = created.json["id"] not in ids
            require(
                RULE + "ids-differ", fresh, expected="a new id", got=created.json["id"], by=created
            )
            ids.add(created.json["id"])


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(
    RULE + "failed-shape", RULE + "failure-gives-back", "rivya.error.generation_failed",
    "rivya.Generation.error*", "rivya.Generation?else?then.result", RULE + "terminal-stays",
)  # fmt: skip
def test_a_failed_generation_gives_its_credits_back(run: Run, require: Require) -> None:
    caller = run.variant("failing").caller("rivya")
    before = credits_of(caller, require)
    created = create(caller)
    history = History(require)
    history.add(created)
    history.poll_to_the_end(caller)
    shown, by = history.last, history.answers[-1]
    expected = {
        "status": "failed", "reserved_credits": 30, "final_credits": 0, "result": None,
        "code": "generation_failed",
    }  # fmt: skip
    got = {name: shown.get(name) for name in expected} | {"code": code_of(by)}
    for promise_id in (RULE + "failed-shape", "rivya.error.generation_failed"):
        require(promise_id, got == expected, expected=expected, got=got, by=by)
    for _ in range(2):
        now = credits_of(caller, require)
        require_equal(require, "failure-gives-back", now, before, run.transport.last)
        caller.target.clock.advance(LATER_S if caller.target.clock.is_controlled else 0.2)
        history.add(read(caller, shown["id"]))


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("second")
@pytest.mark.holds(
    RULE + "foreign-as-unknown", RULE + "account-has-one-wallet", "rivya.error.not_found"
)
def test_another_account_sees_nothing_of_a_generation(rivya: Caller, require: Require) -> None:
    other_account = rivya.target.caller("rivya", "second")
    before = credits_of(other_account, require)
    task_id = create(rivya).json["id"]
    foreign, unknown = read(other_account, task_id), read(other_account, "task_unknown")
    require_refusal(require, "rivya", unknown, "not_found")
    require_refusal(require, "rivya", foreign, "not_found", RULE + "foreign-as-unknown")
    require_same_message(require, RULE + "foreign-as-unknown", foreign, unknown)
    now = credits_of(other_account, require)
    require_equal(require, "account-has-one-wallet", now, before, rivya.target.transport.last)
