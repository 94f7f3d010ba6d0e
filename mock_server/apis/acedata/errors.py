"""Ace Data Cloud's error answers: the code of each refusal, and the body."""

from typing import Any

from mock_server.apis.acedata import response_bodies
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.apis.errors import CodedErrors
from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.core import refusals
from mock_server.edge.call import Call

CODES: dict[type[refusals.Refusal], str] = {
    refusals.ApiSwitchedOff: "api_not_implemented",
    refusals.KeyMissing: "no_token",
    refusals.KeyUnknown: "invalid_token",
    refusals.KeyRevoked: "invalid_token",
    refusals.KeyOfAnotherService: "token_mismatched",
    refusals.KeyDisabled: "disabled",
    refusals.KeyExpired: "token_expired",
    refusals.RateLimited: "too_many_requests",
    refusals.TooManyInFlight: "too_many_requests",
    refusals.Invalid: "bad_request",
    refusals.PromptForbidden: "forbidden",
    refusals.InsufficientCredits: "used_up",
    refusals.UnknownTask: "task_not_found",
    refusals.UnknownPath: "no_api",
    refusals.MethodNotAllowed: "method_not_allowed",
    refusals.TaskBroke: "api_error",
    refusals.HeldTooLong: "timeout",
    refusals.ShuttingDown: "api_error",
}


def acedata_errors(contract: Contract, settings: Settings) -> CodedErrors:
    """Ace Data Cloud's error answers. The status of each code is in the contract's error table."""
    retry_after = settings.of(AceDataSettings).retry_after
    statuses = contract.error_statuses("acedata")
    return CodedErrors("acedata", statuses, CODES, _body, sends_retry_after=retry_after)


def _body(call: Call, code: str, message: str, refusal: refusals.Refusal | None) -> dict[str, Any]:
    """The body. Its trace id is that of the task if a task failed."""
    ids = call.world.ids
    trace_id = (
        response_bodies.trace_id(ids, refusal.task_id)
        if isinstance(refusal, refusals.TaskBroke)
        else ids.uuid("error_trace", call.exchange.id)
    )
    return response_bodies.error(code, message, trace_id)
