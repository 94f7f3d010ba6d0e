from __future__ import annotations

from typing import Any

from mock_server.apis.errors import CodedErrors
from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.core import refusals
from mock_server.edge.call import Call

CODES: dict[type[refusals.Refusal], str] = {
    refusals.KeyMissing: "no_key",
    refusals.KeyUnknown: "no_key",
    refusals.KeyOfAnotherService: "no_key",
    refusals.Invalid: "wrong_body",
    refusals.InsufficientCredits: "too_poor",
    refusals.UnknownTask: "nothing_here",
    refusals.UnknownPath: "nothing_here",
    refusals.MethodNotAllowed: "wrong_method",
    refusals.RateLimited: "slow_down",
    refusals.ShuttingDown: "broken",
}


def lumen_errors(contract: Contract, _: Settings) -> CodedErrors:
    statuses = contract.error_statuses("lumen")
    return CodedErrors("lumen", statuses, CODES, _body, sends_retry_after=False)


def _body(_: Call, code: str, message: str, __: refusals.Refusal | None) -> dict[str, Any]:
    return {"error": {"code": code, "text": message}}
