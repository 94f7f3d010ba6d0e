"""Tokens, balance, moderation, and too many requests."""

from __future__ import annotations

import pytest

from contract_tests.acedata.videos import RULE, TEXT, ask, order, retrieve
from contract_tests.fakes import MODERATED_WORD
from contract_tests.operations import operations
from contract_tests.refusals import require_refusal, require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

_MORE_THAN_ALLOWED = 12
_WINDOW_S = 60
_NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.mark.rank(1)
@pytest.mark.holds(RULE + "prefix-is-case-sensitive")
def test_the_prefix_is_bearer_and_one_space(acedata: Caller, require: Require) -> None:
    for header in (f"bearer {acedata.key}", f"BEARER {acedata.key}", str(acedata.key), "Bearer "):
        for operation in operations("acedata"):
            answer = operation.ask(acedata, headers={"authorization": header})
            rule = RULE + "prefix-is-case-sensitive"
            require_refusal(require, "acedata", answer, "no_token", rule)


@pytest.mark.rank(1)
@pytest.mark.needs("poor")
@pytest.mark.holds(
    RULE + "too-poor", "acedata.error.used_up", "acedata.answer.AceDataForbidden",
    RULE + "queries-are-free",
)  # fmt: skip
def test_a_balance_that_does_not_pay_is_used_up(acedata: Caller, require: Require) -> None:
    poor = acedata.target.caller("acedata", "poor")
    for extra in ({"async": True}, {"callback_url": "http://127.0.0.1:9/"}):
        answer = ask(poor, order(**extra))
        require_refusal(require, "acedata", answer, "used_up", RULE + "too-poor")
    look = retrieve(poor, _NOBODYS)
    require_refusal(require, "acedata", look, "task_not_found", RULE + "queries-are-free")


@pytest.mark.rank(3)
@pytest.mark.needs("one", "clock")
@pytest.mark.holds(
    RULE + "never-negative", RULE + "refused-creates-nothing", RULE + "queries-are-free",
    "acedata.error.used_up",
)  # fmt: skip
def test_credits_for_one_pay_for_one(acedata: Caller, require: Require) -> None:
    asker = acedata.target.caller("acedata", "one")
    refused = ask(asker, order(action="destroy", **{"async": True}))
    require_refusal(require, "acedata", refused, "bad_request")
    for _ in range(3):
        retrieve(asker, _NOBODYS)
    first = ask(asker, order(**{"async": True}))
    if first.status == 403 and acedata.target.is_fake is False:
        pytest.skip("this account has spent its credits already")
    for rule in ("refused-creates-nothing", "queries-are-free"):
        require_success(require, RULE + rule, first)
    second = ask(asker, order(**{"async": True}))
    require_refusal(require, "acedata", second, "used_up", RULE + "never-negative")


@pytest.mark.rank(3)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(RULE + "failure-gives-back", "acedata.model.minimax-*.price_credits")
def test_a_failed_video_gives_its_price_back(run: Run, require: Require) -> None:
    asker = run.variant("failing").caller("acedata", "one")
    for _ in range(2):
        answer = ask(asker, order(**{"async": True}))
        require_success(require, RULE + "failure-gives-back", answer)
        asker.target.time.pass_s(10 if asker.target.time.is_fast else 1.5)


@pytest.mark.rank(1)
@pytest.mark.needs("fake", "variant default")
@pytest.mark.holds("acedata.error.forbidden")
def test_moderation_refuses_a_prompt(acedata: Caller, require: Require) -> None:
    answer = ask(acedata, order(prompt=f"an {MODERATED_WORD} thing", **{"async": True}))
    require_refusal(require, "acedata", answer, "forbidden")


@pytest.mark.rank(3)
@pytest.mark.needs("variant off")
@pytest.mark.holds("acedata.error.api_not_implemented")
def test_an_api_that_is_off_is_not_implemented(run: Run, require: Require) -> None:
    for operation in operations("acedata"):
        answer = operation.ask(run.variant("off").caller("acedata"))
        require_refusal(require, "acedata", answer, "api_not_implemented")


@pytest.mark.rank(1)
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(
    "acedata.error.too_many_requests", RULE + "limit-has-a-window",
    "acedata.answer.AceDataTooManyRequests", "acedata.header.AceDataRetryAfter",
)  # fmt: skip
def test_too_many_requests_are_told_to_wait(acedata: Caller, require: Require) -> None:
    limited = acedata.target.caller("acedata", "limited")
    with acedata.target.door.taking_429():
        answers = [retrieve(limited, _NOBODYS) for _ in range(_MORE_THAN_ALLOWED)]
        asked = ask(limited, order(**{"async": True}))
        for answer in (answers[-1], asked):
            require_refusal(require, "acedata", answer, "too_many_requests")
        acedata.target.time.pass_s(_WINDOW_S)
        again = retrieve(limited, _NOBODYS)
        rule = RULE + "limit-has-a-window"
        require_refusal(require, "acedata", again, "task_not_found", rule)


@pytest.mark.rank(1)
@pytest.mark.price(TEXT)
@pytest.mark.holds(RULE + "answers-are-objects", RULE + "no-square-brackets", RULE + "null-refused")
def test_answers_suit_published_clients(acedata: Caller, require: Require) -> None:
    for accept in ("application/json", "application/x-ndjson", "*/*", "text/html"):
        answer = acedata.post(
            "/videos", order(**{"async": True}), headers={"accept": accept}
        ) if accept == "application/x-ndjson" else acedata.post(
            "/tasks", {"id": _NOBODYS}, headers={"accept": accept}
        )  # fmt: skip
        require(
            RULE + "answers-are-objects", isinstance(answer.json, dict), expected="an object",
            got=answer.body[:40], by=answer,
        )  # fmt: skip
    for field in ("model", "prompt", "first_image_url", "callback_url", "async"):
        answer = ask(acedata, order(**{"async": True} | {field: None}))
        require_refusal(require, "acedata", answer, "bad_request", RULE + "null-refused")
        message = answer.json["error"]["message"]
        require(
            RULE + "no-square-brackets", not set("[]") & set(message), expected="none", got=message,
            by=answer,
        )  # fmt: skip
