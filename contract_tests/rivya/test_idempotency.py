"""Checks of Idempotency-Keys: a repeated request makes no second task, another one conflicts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.requirements import code_of, require_refusal, require_success
from contract_tests.rivya.generations import create, credits_of, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE, require_equal
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require


def fresh_key(run: Run) -> str:
    """An Idempotency-Key that no other check uses."""
    return f"check-{run.nonce}-{run.transport.sent}"


@pytest.mark.rank(2)
@pytest.mark.risk(DEAR)
@pytest.mark.price(CHEAP, count=6)
@pytest.mark.holds(
    RULE + "replay-is-one-task", RULE + "replay-is-one-charge", RULE + "other-body-conflicts",
    "rivya.error.idempotency_conflict", "rivya.answer.RivyaConflict",
    RULE + "replay-ignores-spelling",
)  # fmt: skip
def test_one_key_one_task_one_charge(rivya: Caller, run: Run, require: Require) -> None:
    key, body = fresh_key(run), request_body(client_request_id="a")
    task_id = create(rivya, body, key=key).json["id"]
    balance = credits_of(rivya, require)
    respelled = json.dumps(dict(reversed(body.items())), indent=2).encode()
    for sent in (json.dumps(body).encode(), respelled):
        again = rivya.request("POST", "/generations", body=sent, headers={"idempotency-key": key})
        rule = "replay-is-one-task" if sent != respelled else "replay-ignores-spelling"
        got = again.json.get("id")
        require_equal(require, rule, got, task_id, again)
    for other in (
        request_body(prompt="another"),
        request_body(client_request_id="b"),
        request_body(DEAR),
    ):
        answer = create(rivya, other, key=key)
        rule = RULE + "other-body-conflicts"
        require_refusal(require, "rivya", answer, "idempotency_conflict", rule)
        again = create(rivya, body, key=key)
        require_equal(require, "replay-is-one-task", again.json.get("id"), task_id, again)
    now = credits_of(rivya, require)
    require_equal(require, "replay-is-one-charge", now, balance, run.transport.last)


_VALUES: dict[str, Any] = {
    "model": CHEAP,
    "prompt": 'Café / "東京" 🎬\n',
    "params": {
        "duration": "10",
        "prompt_optimizer": "true",
        "referenceMediaItems": [
            {"url": "https://cdn.example.com/1.png?a=b&c=%20", "kind": "image", "name": "1"},
            {"url": "https://cdn.example.com/2.png", "kind": "image", "durationSeconds": 1},
        ],
    },
    "client_request_id": "zoë",
}


def _reversed(value: Any) -> Any:
    """The value with the fields of each object in the opposite order."""
    if isinstance(value, list):
        return [_reversed(item) for item in value]
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return value


_PLAIN = json.dumps(_VALUES, ensure_ascii=False)
_SPELLINGS = (
    json.dumps(_VALUES),
    json.dumps(_VALUES).replace("\\u00e9", "\\u00E9").replace("/", "\\/"),
    json.dumps(_reversed(_VALUES), ensure_ascii=False, separators=(",", ":")),
    json.dumps(_VALUES, sort_keys=True, indent="\t").replace("\n", "\r\n"),
    "\n " + _PLAIN.replace('"duration"', '"d\\u0075ration"') + "\r\n",
)


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP, count=7)
@pytest.mark.holds(
    RULE + "replay-is-one-task", RULE + "replay-is-one-charge", RULE + "replay-ignores-spelling"
)
def test_bodies_are_compared_by_value(rivya: Caller, run: Run, require: Require) -> None:
    headers = {"idempotency-key": fresh_key(run)}

    def send(text: str) -> Exchange:
        return rivya.request("POST", "/generations", body=text.encode(), headers=headers)

    created = send(_PLAIN)
    shown = require_success(require, RULE + "takes-what-is-valid", created)
    balance = credits_of(rivya, require)
    for text in (*_SPELLINGS, _PLAIN):
        again = send(text)
        rule = "replay-is-one-task" if text == _PLAIN else "replay-ignores-spelling"
        require_equal(require, rule, again.json.get("id"), shown["id"], again)
    # Whether 1.0 is 1 is not documented; another generation would be wrong in both cases.
    other = send(_PLAIN.replace('"durationSeconds": 1', '"durationSeconds": 1.0'))
    one_task = other.json.get("id") == shown["id"] or code_of(other) == "idempotency_conflict"
    require(
        RULE + "replay-is-one-task", one_task, expected="the same generation, or a conflict",
        got=f"{other.status} {other.json.get('id')}", by=other,
    )  # fmt: skip
    now = credits_of(rivya, require)
    require_equal(require, "replay-is-one-charge", now, balance, run.transport.last)


def _near_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Bodies that differ from _VALUES in one value, and the rule that each conflicts by."""
    prompt, params = _VALUES["prompt"], _VALUES["params"]
    first, second = params["referenceMediaItems"]
    for text in (prompt.rstrip(), prompt + " ", prompt.lower(), prompt.replace("é", "e\u0301")):
        yield "other-body-conflicts", {"prompt": text}
    for changed in (
        {"duration": "6"}, {"prompt_optimizer": "false"}, {"referenceMediaItems": [first]},
        {"referenceMediaItems": [second, first]},
    ):  # fmt: skip
        yield "other-body-conflicts", {"params": params | changed}
    renamed = {"referenceMediaItems": [first | {"name": "2"}, second]}
    yield "values-have-types", {"params": params | renamed}
    yield "values-have-types", {"client_request_id": "zoe"}


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP, count=2)
@pytest.mark.holds(RULE + "other-body-conflicts", RULE + "values-have-types")
def test_a_body_with_one_other_value_conflicts(rivya: Caller, run: Run, require: Require) -> None:
    key = fresh_key(run)
    require_success(require, RULE + "takes-what-is-valid", create(rivya, _VALUES, key=key))
    balance = credits_of(rivya, require)
    for rule, changed in _near_bodies():
        answer = create(rivya, _VALUES | changed, key=key)
        require_refusal(require, "rivya", answer, "idempotency_conflict", RULE + rule)
    now = credits_of(rivya, require)
    require_equal(require, "other-body-conflicts", now, balance, run.transport.last)
    key, unknown = fresh_key(run), (True, 1, "1", "true", [True], None)
    for value in unknown:
        answer = create(rivya, request_body(x_value=value), key=key)
        if value is True:
            require_success(require, RULE + "unknown-fields-ignored", answer)
        else:
            rule = RULE + "values-have-types"
            require_refusal(require, "rivya", answer, "idempotency_conflict", rule)


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP, count=5)
@pytest.mark.holds(RULE + "keys-are-compared-whole")
def test_keys_that_differ_in_one_character_are_different(
    rivya: Caller, run: Run, require: Require
) -> None:
    start = fresh_key(run)
    long = start.ljust(254, "k")
    ids: list[str] = []
    for key in (start + "a", start + "A", start, long + "a", long + "b"):
        created = create(rivya, key=key)
        shown = require_success(require, RULE + "keys-are-compared-whole", created)
        fresh = shown["id"] not in ids
        rule = RULE + "keys-are-compared-whole"
        require(rule, fresh, expected="another generation", got=shown["id"], by=created)
        ids.append(shown["id"])


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP, count=4)
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(RULE + "replay-is-one-task", RULE + "keys-are-remembered-for-a-day")
def test_a_replay_with_another_key_of_the_account_or_much_later_is_one_task(
    rivya: Caller, run: Run, require: Require
) -> None:
    key, limited = fresh_key(run), rivya.target.caller("rivya", "limited")
    task_id = create(rivya, key=key).json["id"]
    rivya.target.clock.advance(60)  # a new window for the limited key
    again = create(limited, key=key)
    require_equal(require, "replay-is-one-task", again.json.get("id"), task_id, again)
    for passed_s in (12 * 3600, 11.9 * 3600):
        rivya.target.clock.advance(passed_s)
        again = create(rivya, key=key)
        rule = "keys-are-remembered-for-a-day"
        require_equal(require, rule, again.json.get("id"), task_id, again)


@pytest.mark.rank(2)
@pytest.mark.price(CHEAP, count=2)
@pytest.mark.holds(RULE + "no-key-no-memory", RULE + "client-request-id-is-a-trace")
def test_without_a_key_two_equal_requests_are_two_tasks(rivya: Caller, require: Require) -> None:
    body = request_body(client_request_id="the-same-trace")
    ids = [create(rivya, body).json["id"] for _ in range(2)]
    for rule in ("no-key-no-memory", "client-request-id-is-a-trace"):
        require(
            RULE + rule,
            ids[0] != ids[1],
            expected="two ids",
            got=ids,
            by=rivya.target.transport.last,
        )


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP, count=4)
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
    key = fresh_key(run)
    create(rivya, key=key)
    other = create(rivya.target.caller("rivya", "second"), request_body(prompt="x"), key=key)
    require_success(require, RULE + "key-belongs-to-account", other)


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
@pytest.mark.price(DEAR, count=2)
@pytest.mark.holds(
    RULE + "replay-is-one-charge", RULE + "too-poor", RULE + "never-negative",
    "rivya.error.insufficient_credits", "rivya.answer.RivyaTooFewCredits",
)  # fmt: skip
def test_an_account_that_is_spent_can_still_ask_again(
    rivya: Caller, run: Run, require: Require
) -> None:
    caller, key = rivya.target.caller("rivya", "one"), fresh_key(run)
    if credits_of(caller, require) < run.prices.of("rivya", DEAR):
        pytest.skip("this account has spent its credits already")
    task_id = require_success(
        require, RULE + "never-negative", create(caller, request_body(DEAR), key=key)
    )["id"]
    balance = credits_of(caller, require)
    require_equal(require, "never-negative", balance, 0, run.transport.last)
    answer = create(caller, request_body(CHEAP))
    require_refusal(
        require, "rivya", answer, "insufficient_credits", RULE + "too-poor", RULE + "never-negative"
    )
    again = create(caller, request_body(DEAR), key=key)
    got = again.json.get("id")
    require_equal(require, "replay-is-one-charge", got, task_id, again)


@pytest.mark.rank(1)
@pytest.mark.risk(DEAR)
@pytest.mark.needs("poor")
@pytest.mark.holds(
    RULE + "too-poor", "rivya.error.insufficient_credits", RULE + "refused-creates-nothing"
)
def test_an_account_that_cannot_pay_is_told_so(rivya: Caller, run: Run, require: Require) -> None:
    poor = rivya.target.caller("rivya", "poor")
    before = credits_of(poor, require)
    for model in (CHEAP, DEAR):
        answer = create(poor, request_body(model), key=fresh_key(run))
        require_refusal(require, "rivya", answer, "insufficient_credits", RULE + "too-poor")
    now = credits_of(poor, require)
    require_equal(require, "refused-creates-nothing", now, before, run.transport.last)
