"""How each API says no, looked at once for both."""

from __future__ import annotations

from typing import Any

from contract_tests.contract import Api, contract
from contract_tests.exchange import Exchange
from contract_tests.verdicts import Require


def code_of(answer: Exchange) -> Any:
    """The error code in an answer's envelope, or None."""
    error = answer.json.get("error") if isinstance(answer.json, dict) else None
    return error.get("code") if isinstance(error, dict) else None


def require_refusal(
    require: Require, api: Api, answer: Exchange, code: str, *promise_ids: str
) -> None:
    """The answer must be this refusal with its status; `promise_ids` hold because of it."""
    status = contract().error_codes(api)[code]["x-status"]
    expected = f"{status} {code}"
    got = f"{answer.status} {code_of(answer)}"
    for promise_id in (*promise_ids, f"{api}.error.{code}"):
        require(promise_id, got == expected, expected=expected, got=got, by=answer)


def require_success(require: Require, promise_id: str, answer: Exchange) -> Any:
    """The answer must be a success; its body."""
    require(
        promise_id,
        200 <= answer.status < 300,
        expected="2xx",
        got=f"{answer.status} {code_of(answer)}",
        by=answer,
    )
    return answer.json
