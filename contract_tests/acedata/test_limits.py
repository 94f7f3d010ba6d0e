"""Checks of tokens, balance, moderation and rate limits."""

from __future__ import annotations

import pytest

from contract_tests.acedata.rules import RULE, TEXT, UNKNOWN_ID
from contract_tests.acedata.videos import create, request_body, retrieve
from contract_tests.fakes import MODERATED_WORD
from contract_tests.operations import operations
from contract_tests.requirements import require_refusal, require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(1)

_MORE_THAN_ALLOWED = 12
_WINDOW_S = 60


@pytest.mark.risk
@pytest.mark.holds(RULE + "prefix-is-case-sensitive")
def test_the_prefix_is_bearer_and_one_space(acedata: Caller, require: Require) -> None:
    for header in (f"bearer {acedata.key}", f"BEARER {acedata.key}", str(acedata.key), "Bearer "):
        for operation in operations("acedata"):
            answer = operation.send(acedata, headers={"authorization": header})
            rule = RULE + "prefix-is-case-sensitive"
            require_refusal(require, "acedata", answer, "no_token", rule)


@pytest.mark.risk
@pytest.mark.needs("poor")
@pytest.mark.holds(
    RULE + "too-poor", "acedata.error.used_up", "acedata.answer.AceDataForbidden",
    RULE + "queries-are-free",
)  # fmt: skip
def test_a_balance_that_does_not_pay_is_used_up(acedata: Caller, require: Require) -> None:
    poor = acedata.target.caller("acedata", "poor")
    for extra in ({"async": True}, {"callback_url": "http://127.0.0.1:9/"}):
        answer = create(poor, request_body(**extra))
        require_refusal(require, "acedata", answer, "used_up", RULE + "too-poor")
    poll = retrieve(poor, UNKNOWN_ID)
    require_refusal(require, "acedata", poll, "task_not_found", RULE + "queries-are-free")


@pytest.mark.rank(3)
@pytest.mark.needs("one", "clock")
@pytest.mark.price(TEXT)
@pytest.mark.holds(
    RULE + "never-negative", RULE + "refused-creates-nothing", RULE + "queries-are-free",
    "acedata.error.used_up",
)  # fmt: skip
def test_credits_for_one_pay_for_one(acedata: Caller, require: Require) -> None:
    caller = acedata.target.caller("acedata", "one")
    refused = create(caller, request_body(action="destroy", **{"async": True}))
    require_refusal(require, "acedata", refused, "bad_request")
    for _ in range(3):
        retrieve(caller, UNKNOWN_ID)
    first = create(caller, request_body(**{"async": True}))
    if first.status == 403 and acedata.target.is_fake is False:
        pytest.skip("this account has spent its credits already")
    for rule in ("refused-creates-nothing", "queries-are-free"):
        require_success(require, RULE + rule, first)
    second = create(caller, request_body(**{"async": True}))
    require_refusal(require, "acedata", second, "used_up", RULE + "never-negative")


@pytest.mark.rank(3)
@pytest.mark.price(TEXT, count=2)
@pytest.mark.needs("variant failing")
@pytest.mark.holds(RULE + "failure-gives-back", "acedata.model.minimax-*.price_credits")
def test_a_failed_video_gives_its_price_back(run: Run, require: Require) -> None:
    caller = run.variant("failing").caller("acedata", "one")
    for _ in range(2):
        answer = create(caller, request_body(**{"async": True}))
        require_success(require, RULE + "failure-gives-back", answer)
        caller.target.clock.advance(10 if caller.target.clock.is_controlled else 1.5)


@pytest.mark.risk
@pytest.mark.needs("fake", "variant default")
@pytest.mark.holds("acedata.error.forbidden")
def test_moderation_refuses_a_prompt(acedata: Caller, require: Require) -> None:
    answer = create(acedata, request_body(prompt=f"an {MODERATED_WORD} thing", **{"async": True}))
    require_refusal(require, "acedata", answer, "forbidden")


@pytest.mark.rank(3)
@pytest.mark.risk
@pytest.mark.needs("variant off")
@pytest.mark.holds("acedata.error.api_not_implemented")
def test_an_api_that_is_off_is_not_implemented(run: Run, require: Require) -> None:
    for operation in operations("acedata"):
        answer = operation.send(run.variant("off").caller("acedata"))
        require_refusal(require, "acedata", answer, "api_not_implemented")


@pytest.mark.risk
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(
    "acedata.error.too_many_requests", RULE + "limit-has-a-window",
    "acedata.answer.AceDataTooManyRequests", "acedata.header.AceDataRetryAfter",
)  # fmt: skip
def test_too_many_requests_are_told_to_wait(acedata: Caller, require: Require) -> None:
    limited = acedata.target.caller("acedata", "limited")
    with acedata.target.transport.returning_429():
        answers = [retrieve(limited, UNKNOWN_ID) for _ in range(_MORE_THAN_ALLOWED)]
        created = create(limited, request_body(**{"async": True}))
        for answer in (answers[-1], created):
            require_refusal(require, "acedata", answer, "too_many_requests")
        acedata.target.clock.advance(_WINDOW_S)
        again = retrieve(limited, UNKNOWN_ID)
        rule = RULE + "limit-has-a-window"
        require_refusal(require, "acedata", again, "task_not_found", rule)


@pytest.mark.price(TEXT)
@pytest.mark.holds(RULE + "answers-are-objects", RULE + "no-square-brackets", RULE + "null-refused")
def test_answers_suit_published_clients(acedata: Caller, require: Require) -> None:
    for accept in ("application/json", "application/x-ndjson", "*/*", "text/html"):
        answer = acedata.post(
            "/videos", request_body(**{"async": True}), headers={"accept": accept}
        ) if accept == "application/x-ndjson" else acedata.post(
            "/tasks", {"id": UNKNOWN_ID}, headers={"accept": accept}
        )  # fmt: skip
        require(
            RULE + "answers-are-objects", isinstance(answer.json, dict), expected="an object",
            got=answer.body[:40], by=answer,
        )  # fmt: skip
    for field in ("model", "prompt", "first_image_url", "callback_url", "async"):
        answer = create(acedata, request_body(**{"async": True} | {field: None}))
        require_refusal(require, "acedata", answer, "bad_request", RULE + "null-refused")
        message = answer.json["error"]["message"]
        require(
            RULE + "no-square-brackets", not set("[]") & set(message), expected="none", got=message,
            by=answer,
        )  # fmt: skip
