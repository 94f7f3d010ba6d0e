"""Checks of amounts: each model and option, several in a row, failures, refusals, races."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.requirements import code_of, require_refusal, require_success
from contract_tests.rivya.generations import History, create, credits_of, read, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE, require_equal
from contract_tests.rivya.test_files import upload
from contract_tests.rivya.test_idempotency import fresh_key
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(3)

LATER_S = 3600


def _bodies(caller: Caller) -> Iterator[dict[str, Any]]:
    """Bodies that differ in everything but their model's price."""
    item = {"url": upload(caller).json["url"], "kind": "image"}
    for model in (DEAR, CHEAP):
        for items in ([], [item], [item, item]):
            yield request_body(model, params={"referenceMediaItems": items})
        yield request_body(model, params={"prompt_optimizer": "true"}, client_request_id="trace")
        yield request_body(model, prompt="x" * 1500)
    for _ in range(2):
        yield request_body(CHEAP, params={"duration": "10", "resolution": "768P"})


_AMOUNTS = tuple(
    RULE + name
    for name in (
        "reserves-the-price", "create-takes-the-price", "listed-price-is-charged",
        "same-object-everywhere",
    )
)  # fmt: skip


def _create_each(caller: Caller, run: Run, require: Require) -> list[History]:
    """Create a generation with each body. Each reserves its price and takes it at once."""
    histories: list[History] = []
    for body in _bodies(caller):
        before = credits_of(caller, require)
        created = create(caller, body)
        shown = require_success(require, RULE + "takes-what-is-valid", created)
        price = run.prices.of("rivya", body["model"])
        if "duration" in body.get("params", {}):
            rule = "standard-has-one-price"
        else:
            rule = "reserves-the-price"
        require_equal(require, rule, shown["reserved_credits"], price, created)
        after = credits_of(caller, require)
        expected = before - shown["reserved_credits"]
        require_equal(require, "create-takes-the-price", after, expected, run.transport.last)
        history = History(require)
        history.add(created)
        histories.append(history)
    return histories


@pytest.mark.full
@pytest.mark.price(DEAR, count=5)
@pytest.mark.price(CHEAP, count=7)
@pytest.mark.needs("clock")
@pytest.mark.holds(*_AMOUNTS, RULE + "success-takes-no-more", RULE + "standard-has-one-price",
                   RULE + "results-differ")  # fmt: skip
def test_each_of_several_generations_takes_its_own_price(
    rivya: Caller, run: Run, require: Require
) -> None:
    rivya.target.clock.advance(LATER_S)  # the generations of other checks end before
    histories = _create_each(rivya, run, require)
    before = credits_of(rivya, require)
    rivya.target.clock.advance(LATER_S)
    failed_credits = 0
    for history in histories * 2:
        price = history.last["reserved_credits"]
        answer = read(rivya, history.last["id"])
        history.add(answer)
        is_failed = history.last["status"] == "failed"
        failed_credits += price if is_failed else 0
        final = 0 if is_failed else price
        require_equal(require, "success-takes-no-more", answer.json["final_credits"], final, answer)
    urls = [h.last["result"]["primary_url"] for h in histories if h.last["result"]]
    require_equal(require, "results-differ", len(set(urls)), len(urls), run.transport.last)
    now = credits_of(rivya, require)
    expected = before + failed_credits // 2
    require_equal(require, "success-takes-no-more", now, expected, run.transport.last)


@pytest.mark.price(DEAR, count=8)
@pytest.mark.price(CHEAP, count=7)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(
    *_AMOUNTS, RULE + "failure-gives-back", RULE + "failed-shape", RULE + "terminal-stays",
    RULE + "replay-is-one-task", RULE + "replay-is-one-charge", RULE + "other-body-conflicts",
)  # fmt: skip
def test_each_of_several_failures_gives_its_own_price_back(run: Run, require: Require) -> None:
    caller = run.variant("failing").caller("rivya")
    before = credits_of(caller, require)
    histories = _create_each(caller, run, require)
    for history in histories:
        history.poll_to_the_end(caller)
    for _ in range(2):
        for history in histories:
            shown, by = history.last, history.answers[-1]
            expected = {"status": "failed", "final_credits": 0, "result": None}
            got = {name: shown.get(name) for name in expected}
            require_equal(require, "failed-shape", got, expected, by)
            history.add(read(caller, shown["id"]))
        now = credits_of(caller, require)
        require_equal(require, "failure-gives-back", now, before, run.transport.last)
    key = fresh_key(run)
    failed = History(require)
    failed.add(create(caller, request_body(DEAR), key=key))
    failed.poll_to_the_end(caller)
    for _ in range(2):
        again = create(caller, request_body(DEAR), key=key)
        got = again.json.get("id")
        require_equal(require, "replay-is-one-task", got, failed.last["id"], again)
    other = create(caller, request_body(CHEAP), key=key)
    rule = RULE + "other-body-conflicts"
    require_refusal(require, "rivya", other, "idempotency_conflict", rule)
    now = credits_of(caller, require)
    require_equal(require, "replay-is-one-charge", now, before, run.transport.last)


# --- refusals -----------------------------------------------------------------------------------


def _refused(caller: Caller, key: str) -> Iterator[tuple[str, Callable[[], Exchange]]]:
    """Creates that must be refused, each with its code. All name the same Idempotency-Key."""
    target, invalid = caller.target, "validation_failed"
    for body in (
        {"model": CHEAP}, {"model": CHEAP, "prompt": ""}, {"prompt": "x"},
        {"model": "hailuo", "prompt": "x"}, {"model": DEAR, "prompt": "x" * 1501},
        request_body(params={"duration": "7"}), request_body(files=["file_1"]),
    ):  # fmt: skip
        yield invalid, lambda body=body: create(caller, body, key=key)  # type: ignore[misc]
    headers = {"idempotency-key": key}
    for raw in (b"{", b"[]", b'{"model": "hailuo-pro", "prompt": "x",}'):
        yield (
            invalid,
            lambda raw=raw: caller.request(  # type: ignore[misc]
                "POST", "/generations", body=raw, headers=headers
            ),
        )
    plain = headers | {"content-type": "text/plain"}
    valid = b'{"model": "hailuo-pro", "prompt": "x"}'
    yield invalid, lambda: caller.request("POST", "/generations", body=valid, headers=plain)
    other, without_key = request_body(DEAR), target.caller("rivya", None)
    yield "api_key_missing", lambda: create(without_key, other, key=key)
    never_issued = target.caller("rivya", key="rvya_sk_never_issued_to_any_account")
    yield "api_key_invalid", lambda: create(never_issued, other, key=key)
    for role, code in (
        ("revoked", "api_key_revoked"), ("expired", "api_key_expired"),
        ("without_scopes", "api_scope_denied"),
    ):  # fmt: skip
        if role in target.keys["rivya"]:
            yield code, lambda role=role: create(target.caller("rivya", role), other, key=key)  # type: ignore[misc]


@pytest.mark.rank(2)
@pytest.mark.risk
@pytest.mark.price(CHEAP, count=2)
@pytest.mark.holds(
    RULE + "refused-creates-nothing", RULE + "refusal-frees-the-key", RULE + "replay-is-one-task",
    RULE + "refuses-what-is-invalid", "rivya.error.validation_failed",
)  # fmt: skip
def test_refused_creates_leave_balance_and_key_as_they_were(
    rivya: Caller, run: Run, require: Require
) -> None:
    key = fresh_key(run)
    before = credits_of(rivya, require)
    for code, send in _refused(rivya, key):
        require_refusal(require, "rivya", send(), code, RULE + "refused-creates-nothing")
        now = credits_of(rivya, require)
        require_equal(require, "refused-creates-nothing", now, before, run.transport.last)
    created = create(rivya, key=key)
    shown = require_success(require, RULE + "refusal-frees-the-key", created)
    after = credits_of(rivya, require)
    for code, send in _refused(rivya, key):
        answer = send()
        codes = {code, "idempotency_conflict"}  # which comes first is not documented
        found = code_of(answer)
        require(
            RULE + "refuses-what-is-invalid", found in codes, expected=sorted(codes), got=found,
            by=answer,
        )  # fmt: skip
    again = create(rivya, key=key)
    require_equal(require, "replay-is-one-task", again.json.get("id"), shown["id"], again)
    now = credits_of(rivya, require)
    require_equal(require, "refused-creates-nothing", now, after, run.transport.last)


@pytest.mark.rank(1)
@pytest.mark.risk(DEAR)
@pytest.mark.needs("poor")
@pytest.mark.holds(RULE + "refusal-frees-the-key", RULE + "too-poor")
def test_too_few_credits_leave_the_key_free(rivya: Caller, run: Run, require: Require) -> None:
    poor, key = rivya.target.caller("rivya", "poor"), fresh_key(run)
    for body in (request_body(DEAR), request_body(CHEAP), request_body(CHEAP)):
        answer = create(poor, body, key=key)
        for rule in ("too-poor", "refusal-frees-the-key"):
            require_refusal(require, "rivya", answer, "insufficient_credits", RULE + rule)


@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.holds(RULE + "reads-are-free")
def test_reads_stay_free_when_they_are_repeated(rivya: Caller, run: Run, require: Require) -> None:
    task_id = create(rivya).json["id"]
    file_id = upload(rivya).json["id"]
    before = credits_of(rivya, require)
    for path in (
        f"/generations/{task_id}", f"/files/{file_id}", "/models", "/credits", "/webhooks",
        "/webhook-events", "/generations/task_unknown",
    ):  # fmt: skip
        for _ in range(3):
            rivya.get(path)
        upload(rivya)
        now = credits_of(rivya, require)
        if before < now and not rivya.target.is_fake:
            return  # a generation has failed meanwhile
        require_equal(require, "reads-are-free", now, before, run.transport.last)


# --- at the same time ---------------------------------------------------------------------------


def _at_the_same_time(*sends: Callable[[], Exchange]) -> list[Exchange]:
    with ThreadPoolExecutor(len(sends)) as pool:
        return [answer.result() for answer in [pool.submit(send) for send in sends]]


@pytest.mark.price(CHEAP, count=4)
@pytest.mark.holds(RULE + "replay-is-one-task", RULE + "replay-is-one-charge")
def test_equal_creates_at_the_same_time_are_one_task_and_one_charge(
    rivya: Caller, run: Run, require: Require
) -> None:
    key, before = fresh_key(run), credits_of(rivya, require)
    answers = _at_the_same_time(*[lambda: create(rivya, key=key)] * 3)
    codes = [code_of(answer) for answer in answers if answer.status >= 300]
    ids = {answer.json["id"] for answer in answers if answer.status < 300}
    is_one = len(ids) == 1 and set(codes) <= {"idempotency_conflict"}
    require(
        RULE + "replay-is-one-task", is_one, expected="one generation; others may conflict",
        got=sorted(ids) + codes, by=answers[-1],
    )  # fmt: skip
    again = create(rivya, key=key)
    require_equal(require, "replay-is-one-task", {again.json.get("id")}, ids, again)
    now, price = credits_of(rivya, require), run.prices.of("rivya", CHEAP)
    require_equal(require, "replay-is-one-charge", now, before - price, run.transport.last)


@pytest.mark.price(DEAR, count=3)
@pytest.mark.needs("variant strict")
@pytest.mark.holds(RULE + "never-negative", "rivya.error.insufficient_credits")
def test_creates_at_the_same_time_cannot_overdraw(run: Run, require: Require) -> None:
    caller = run.variant("strict").caller("rivya", "one")
    answers = _at_the_same_time(*[lambda: create(caller, request_body(DEAR))] * 3)
    got = sorted(str(code_of(answer)) for answer in answers)
    expected = ["None", "insufficient_credits", "insufficient_credits"]
    require_equal(require, "never-negative", got, expected, answers[-1])
    now = credits_of(caller, require)
    require_equal(require, "never-negative", now, 0, run.transport.last)
