"""Checks of the rate limit."""

from __future__ import annotations

import pytest

from contract_tests.fakes import ALLOWED
from contract_tests.operations import operations
from contract_tests.requirements import code_of, require_refusal, require_success
from contract_tests.rivya.generations import create, credits_of, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE, require_equal
from contract_tests.rivya.test_idempotency import fresh_key
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(1)

_MORE_THAN_ALLOWED = 12
_WINDOW_S = 60


@pytest.mark.risk
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(
    "rivya.error.rate_limited", RULE + "limit-per-key", RULE + "limit-has-a-window",
    "rivya.answer.RivyaRateLimited", "rivya.header.RivyaRetryAfter",
)  # fmt: skip
def test_too_many_requests_are_told_to_wait(rivya: Caller, require: Require) -> None:
    limited = rivya.target.caller("rivya", "limited")
    with rivya.target.transport.returning_429():
        answers = [limited.get("/credits") for _ in range(_MORE_THAN_ALLOWED)]
        refused = answers[-1]
        require_refusal(require, "rivya", refused, "rate_limited")
        for operation in operations("rivya"):
            if operation.needs_key:
                require_refusal(require, "rivya", operation.send(limited), "rate_limited")
        after = refused.headers.get("retry-after", "")
        require(
            "rivya.header.RivyaRetryAfter", after.isdigit() and 0 < int(after) <= _WINDOW_S,
            expected="seconds within the window", got=after, by=refused,
        )  # fmt: skip
        require_success(require, RULE + "limit-per-key", rivya.get("/credits"))
        rivya.target.clock.advance(_WINDOW_S)
        again = limited.get("/credits")
        require(
            RULE + "limit-has-a-window", again.status == 200, expected=200,
            got=f"{again.status} {code_of(again)}", by=again,
        )  # fmt: skip


@pytest.mark.risk(DEAR)
@pytest.mark.needs("limited", "clock", "fake")
@pytest.mark.price(CHEAP)
@pytest.mark.holds(
    RULE + "limit-has-a-window", RULE + "refused-creates-nothing", RULE + "refusal-frees-the-key",
    "rivya.header.RivyaRetryAfter",
)  # fmt: skip
def test_the_limit_is_exact_in_each_window_and_what_it_refuses_has_no_effect(
    rivya: Caller, run: Run, require: Require
) -> None:
    limited, clock = rivya.target.caller("rivya", "limited"), rivya.target.clock
    key, before = fresh_key(run), credits_of(rivya, require)
    clock.advance(_WINDOW_S)
    with rivya.target.transport.returning_429():
        for _ in range(2):
            for _ in range(ALLOWED):
                answer = limited.get("/credits")
                require_success(require, RULE + "limit-has-a-window", answer)
            for passed_s in (0, 20, 39):
                clock.advance(passed_s)
                refused = create(limited, request_body(DEAR), key=key)
                require_refusal(require, "rivya", refused, "rate_limited")
            after = refused.headers.get("retry-after", "")
            require(
                "rivya.header.RivyaRetryAfter", after == "1", expected="1, the rest of the window",
                got=after, by=refused,
            )  # fmt: skip
            clock.advance(1)
    now = credits_of(rivya, require)
    kept = rivya.target.transport.last
    is_no_less = now >= before  # a generation of another check may have failed
    require_equal(require, "refused-creates-nothing", is_no_less, True, kept)
    created = create(rivya, key=key)
    require_success(require, RULE + "refusal-frees-the-key", created)
