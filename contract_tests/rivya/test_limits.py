"""Too many requests."""

from __future__ import annotations

import pytest

from contract_tests.operations import operations
from contract_tests.refusals import code_of, require_refusal, require_success
from contract_tests.target import Caller
from contract_tests.verdicts import Require

RULE = "rivya.rule."
_MORE_THAN_ALLOWED = 12
_WINDOW_S = 60


@pytest.mark.rank(1)
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(
    "rivya.error.rate_limited", RULE + "limit-per-key", RULE + "limit-has-a-window",
    "rivya.answer.RivyaRateLimited", "rivya.header.RivyaRetryAfter",
)  # fmt: skip
def test_too_many_requests_are_told_to_wait(rivya: Caller, require: Require) -> None:
    limited = rivya.target.caller("rivya", "limited")
    with rivya.target.door.taking_429():
        answers = [limited.get("/credits") for _ in range(_MORE_THAN_ALLOWED)]
        refused = answers[-1]
        require_refusal(require, "rivya", refused, "rate_limited")
        for operation in operations("rivya"):
            if operation.needs_key:
                require_refusal(require, "rivya", operation.ask(limited), "rate_limited")
        after = refused.headers.get("retry-after", "")
        require(
            "rivya.header.RivyaRetryAfter", after.isdigit() and 0 < int(after) <= _WINDOW_S,
            expected="seconds within the window", got=after, by=refused,
        )  # fmt: skip
        require_success(require, RULE + "limit-per-key", rivya.get("/credits"))
        rivya.target.time.pass_s(_WINDOW_S)
        again = limited.get("/credits")
        require(
            RULE + "limit-has-a-window", again.status == 200, expected=200,
            got=f"{again.status} {code_of(again)}", by=again,
        )  # fmt: skip
