"""One generation from its create to its end, and what must be true on the way."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.refusals import code_of, require_refusal, require_success
from contract_tests.rivya.generations import (
    CHEAP,
    DEAR,
    Life,
    create,
    credits_of,
    live_to_the_end,
    look,
    order,
)
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

RULE = "rivya.rule."
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
    key = f"check-{run.nonce}-{run.door.sent}"
    created = create(rivya, key=key)
    shown = require_success(require, RULE + "takes-what-is-valid", created)
    price = run.prices.of("rivya", CHEAP)
    require_queued(require, created, CHEAP, price)
    life = Life(require)
    life.see(created)
    after = credits_of(rivya, require)
    require(
        RULE + "create-takes-the-price", after == before - price,
        expected=before - price, got=after, by=run.door.last,
    )  # fmt: skip

    live_to_the_end(rivya, life)
    if life.last["status"] == "succeeded":
        require_success_of(require, rivya, life.looks[-1], price)
    rivya.target.time.pass_s(LATER_S if rivya.target.time.is_fast else 0.2)
    later = look(rivya, shown["id"])
    life.see(later)
    require_success(require, "rivya.getGeneration.taskId", later)
    if run.budget.allows(price):  # a server that breaks its word would charge it again
        again = create(rivya, key=key)
        got = again.json.get("id")
        row = RULE + "replay-is-one-task"
        require(row, got == shown["id"], expected=shown["id"], got=got, by=again)
        now = credits_of(rivya, require)
        require(RULE + "replay-is-one-charge", now == after, expected=after, got=now, by=again)


def require_queued(require: Require, created: Exchange, model: str, price: int) -> None:
    """What the answer to a create must say."""
    shown = created.json
    said = {name: shown.get(name) for name in ("status", "model", "final_credits", "result")}
    expected: dict[str, Any] = {
        "status": "queued", "model": model, "final_credits": 0, "result": None,
    }  # fmt: skip
    require(RULE + "create-is-queued", said == expected, expected=expected, got=said, by=created)
    times = (shown["created_at"], shown["updated_at"])
    require(
        RULE + "create-is-queued", times[0] == times[1], expected="one time", got=times, by=created
    )
    for rule in ("reserves-the-price", "listed-price-is-charged"):
        reserved = shown["reserved_credits"]
        require(RULE + rule, reserved == price, expected=price, got=reserved, by=created)
    row = f"rivya.model.{model}.price_credits"
    require(row, reserved == price, expected=price, got=reserved, by=created)


def require_success_of(require: Require, asker: Caller, ended: Exchange, price: int) -> None:
    """What a generation that has succeeded must say, and where its result leads."""
    shown = ended.json
    final = shown["final_credits"]
    require(RULE + "success-takes-no-more", final == price, expected=price, got=final, by=ended)
    result = shown["result"]
    one = len(result["urls"]) == 1 and result["urls"][0] == result["primary_url"]
    require(RULE + "one-result", one, expected="one URL, twice", got=result, by=ended)
    require_video(require, asker, "rivya", result["primary_url"])


def require_video(require: Require, asker: Caller, api: str, url: str) -> None:
    """The URL must lead to an MP4 file for somebody without a key."""
    answer = asker.target.session.get(url, timeout=60)
    by = asker.target.door.last
    kind = answer.headers.get("content-type", "")
    is_video = answer.status_code == 200 and answer.content[4:8] == b"ftyp" and "mp4" in kind
    got = f"{answer.status_code} {kind} {answer.content[:12]!r}"
    require(f"{api}.rule.result-is-a-video", is_video, expected="an MP4", got=got, by=by)


@pytest.mark.rank(3)
@pytest.mark.price(DEAR)
@pytest.mark.holds(
    RULE + "reserves-the-price", RULE + "create-is-queued", RULE + "result-is-a-video",
    "rivya.model.hailuo-pro.price_credits", "rivya.model.hailuo-pro.clips",
    "rivya.model.hailuo-pro.api", "rivya.createGeneration.example.*",
)  # fmt: skip
def test_the_documented_request_is_taken(rivya: Caller, run: Run, require: Require) -> None:
    content = run.contract.document["paths"]["/api/v1/generations"]["post"]["requestBody"][
        "content"
    ]
    example = content["application/json"]["examples"]["minimal"]["value"]
    created = create(rivya, example)
    require_success(require, "rivya.createGeneration.example.minimal", created)
    require_queued(require, created, DEAR, run.prices.of("rivya", DEAR))
    life = Life(require)
    life.see(created)
    live_to_the_end(rivya, life)
    if life.last["status"] == "succeeded":
        require_success_of(require, rivya, life.looks[-1], run.prices.of("rivya", DEAR))


@pytest.mark.rank(3)
@pytest.mark.price(DEAR)
@pytest.mark.holds("rivya.createGeneration.example.reference_file")
def test_the_documented_request_with_a_reference_is_taken(
    rivya: Caller, run: Run, require: Require
) -> None:
    content = run.contract.document["paths"]["/api/v1/generations"]["post"]["requestBody"][
        "content"
    ]
    example = content["application/json"]["examples"]["reference_file"]["value"]
    created = create(rivya, example)
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
            created = create(rivya, order(params=params))
            for index in range(3):
                require_success(require, f"rivya.model.hailuo-standard.params.{index}", created)
            reserved = created.json["reserved_credits"]
            require(
                RULE + "standard-has-one-price", reserved == 30, expected=30, got=reserved,
                by=created,
            )  # fmt: skip
            fresh = created.json["id"] not in ids
            require(
                RULE + "ids-differ", fresh, expected="a new id", got=created.json["id"], by=created
            )
            ids.add(created.json["id"])


@pytest.mark.rank(3)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(
    RULE + "failed-shape", RULE + "failure-gives-back", "rivya.error.generation_failed",
    "rivya.Generation.error*", "rivya.Generation?else?then.result", RULE + "terminal-stays",
)  # fmt: skip
def test_a_failed_generation_gives_its_credits_back(run: Run, require: Require) -> None:
    asker = run.variant("failing").caller("rivya")
    before = credits_of(asker, require)
    created = create(asker)
    life = Life(require)
    life.see(created)
    live_to_the_end(asker, life)
    shown, by = life.last, life.looks[-1]
    got = {
        "status": shown["status"],
        "reserved_credits": shown["reserved_credits"],
        "final_credits": shown["final_credits"],
        "result": shown["result"],
        "code": code_of(by),
    }
    expected = {
        "status": "failed", "reserved_credits": 30, "final_credits": 0, "result": None,
        "code": "generation_failed",
    }  # fmt: skip
    for row in (RULE + "failed-shape", "rivya.error.generation_failed"):
        require(row, got == expected, expected=expected, got=got, by=by)
    for _ in range(2):
        now = credits_of(asker, require)
        require(
            RULE + "failure-gives-back", now == before, expected=before, got=now, by=run.door.last
        )
        asker.target.time.pass_s(LATER_S if asker.target.time.is_fast else 0.2)
        life.see(look(asker, shown["id"]))


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("second")
@pytest.mark.holds(
    RULE + "foreign-as-unknown", RULE + "account-has-one-wallet", "rivya.error.not_found"
)
def test_another_account_sees_nothing_of_a_generation(rivya: Caller, require: Require) -> None:
    stranger = rivya.target.caller("rivya", "second")
    before = credits_of(stranger, require)
    task_id = create(rivya).json["id"]
    foreign, unknown = look(stranger, task_id), look(stranger, "task_that_never_was")
    require_refusal(require, "rivya", unknown, "not_found")
    require_refusal(require, "rivya", foreign, "not_found", RULE + "foreign-as-unknown")
    words = [answer.json["error"]["message"] for answer in (foreign, unknown)]
    require(
        RULE + "foreign-as-unknown", words[0] == words[1], expected=words[1], got=words[0],
        by=foreign,
    )  # fmt: skip
    now = credits_of(stranger, require)
    require(
        RULE + "account-has-one-wallet", now == before, expected=before, got=now,
        by=rivya.target.door.last,
    )  # fmt: skip
