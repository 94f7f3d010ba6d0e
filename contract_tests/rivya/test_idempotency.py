"""Asking again: one task and one charge for the same thing, a conflict for another."""

from __future__ import annotations

import json

import pytest

from contract_tests.refusals import require_refusal, require_success
from contract_tests.rivya.generations import CHEAP, DEAR, create, credits_of, order
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

RULE = "rivya.rule."


def fresh_key(run: Run) -> str:
    """An Idempotency-Key that no check has used."""
    return f"check-{run.nonce}-{run.door.sent}"


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP)
@pytest.mark.holds(
    RULE + "replay-is-one-task", RULE + "replay-is-one-charge", RULE + "other-body-conflicts",
    "rivya.error.idempotency_conflict", "rivya.answer.RivyaConflict",
    RULE + "replay-ignores-spelling",
)  # fmt: skip
def test_one_key_one_task_one_charge(rivya: Caller, run: Run, require: Require) -> None:
    key, body = fresh_key(run), order(client_request_id="a")
    task_id = create(rivya, body, key=key).json["id"]
    balance = credits_of(rivya, require)
    respelled = json.dumps(dict(reversed(body.items())), indent=2).encode()
    for sent in (json.dumps(body).encode(), respelled):
        again = rivya.ask("POST", "/generations", body=sent, headers={"idempotency-key": key})
        rule = "replay-is-one-task" if sent != respelled else "replay-ignores-spelling"
        got = again.json.get("id")
        require(RULE + rule, got == task_id, expected=task_id, got=got, by=again)
    for other in (order(prompt="another"), order(client_request_id="b"), order(DEAR)):
        answer = create(rivya, other, key=key)
        rule = RULE + "other-body-conflicts"
        require_refusal(require, "rivya", answer, "idempotency_conflict", rule)
    now = credits_of(rivya, require)
    require(
        RULE + "replay-is-one-charge", now == balance, expected=balance, got=now, by=run.door.last
    )


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP, count=2)
@pytest.mark.holds(RULE + "no-key-no-memory", RULE + "client-request-id-is-a-trace")
def test_without_a_key_two_equal_requests_are_two_tasks(rivya: Caller, require: Require) -> None:
    body = order(client_request_id="the-same-trace")
    ids = [create(rivya, body).json["id"] for _ in range(2)]
    for rule in ("no-key-no-memory", "client-request-id-is-a-trace"):
        require(
            RULE + rule, ids[0] != ids[1], expected="two ids", got=ids, by=rivya.target.door.last
        )


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP, count=2)
@pytest.mark.needs("second")
@pytest.mark.holds(RULE + "key-belongs-to-account")
def test_a_key_of_another_account_is_another_key(rivya: Caller, run: Run, require: Require) -> None:
    key = fresh_key(run)
    mine = create(rivya, key=key).json["id"]
    theirs = create(rivya.target.caller("rivya", "second"), key=key)
    shown = require_success(require, RULE + "key-belongs-to-account", theirs)
    require(
        RULE + "key-belongs-to-account", shown["id"] != mine, expected="another id", got=mine,
        by=theirs,
    )  # fmt: skip


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.holds(RULE + "refusal-frees-the-key")
def test_after_a_refusal_the_key_is_free(rivya: Caller, run: Run, require: Require) -> None:
    key = fresh_key(run)
    require_refusal(require, "rivya", create(rivya, {"model": CHEAP}, key=key), "validation_failed")
    require_success(require, RULE + "refusal-frees-the-key", create(rivya, key=key))


@pytest.mark.rank(1)
@pytest.mark.price(CHEAP)
@pytest.mark.holds(RULE + "key-form", "rivya.parameter.IdempotencyKey")
def test_a_key_has_at_most_255_visible_characters(
    rivya: Caller, run: Run, require: Require
) -> None:
    for key in ("k" * 256, "with space"):
        answer = create(rivya, key=key)
        require_refusal(require, "rivya", answer, "validation_failed", RULE + "key-form")
    longest = fresh_key(run).ljust(255, "k")
    require_success(require, "rivya.parameter.IdempotencyKey", create(rivya, key=longest))


@pytest.mark.rank(3)
@pytest.mark.needs("one", "clock")
@pytest.mark.holds(
    RULE + "replay-is-one-charge", RULE + "too-poor", RULE + "never-negative",
    "rivya.error.insufficient_credits", "rivya.answer.RivyaTooFewCredits",
)  # fmt: skip
def test_an_account_that_is_spent_can_still_ask_again(
    rivya: Caller, run: Run, require: Require
) -> None:
    asker, key = rivya.target.caller("rivya", "one"), fresh_key(run)
    if credits_of(asker, require) < run.prices.of("rivya", DEAR):
        pytest.skip("this account has spent its credits already")
    task_id = require_success(
        require, RULE + "never-negative", create(asker, order(DEAR), key=key)
    )["id"]
    balance = credits_of(asker, require)
    require(RULE + "never-negative", balance == 0, expected=0, got=balance, by=run.door.last)
    answer = create(asker, order(CHEAP))
    require_refusal(
        require, "rivya", answer, "insufficient_credits", RULE + "too-poor", RULE + "never-negative"
    )
    again = create(asker, order(DEAR), key=key)
    got = again.json.get("id")
    require(RULE + "replay-is-one-charge", got == task_id, expected=task_id, got=got, by=again)


@pytest.mark.rank(1)
@pytest.mark.needs("poor")
@pytest.mark.holds(
    RULE + "too-poor", "rivya.error.insufficient_credits", RULE + "refused-creates-nothing"
)
def test_an_account_that_cannot_pay_is_told_so(rivya: Caller, run: Run, require: Require) -> None:
    poor = rivya.target.caller("rivya", "poor")
    before = credits_of(poor, require)
    for model in (CHEAP, DEAR):
        answer = create(poor, order(model), key=fresh_key(run))
        require_refusal(require, "rivya", answer, "insufficient_credits", RULE + "too-poor")
    now = credits_of(poor, require)
    require(
        RULE + "refused-creates-nothing", now == before, expected=before, got=now, by=run.door.last
    )
