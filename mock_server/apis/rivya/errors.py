"""Rivya's error answers: the code of each refusal, and the body."""

from typing import Any

from mock_server.apis.errors import CodedErrors
from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.core import refusals
from mock_server.edge.call import Call

CODES: dict[type[refusals.Refusal], str] = {
    refusals.ApiSwitchedOff: "public_api_disabled",
    refusals.KeyMissing: "api_key_missing",
    refusals.KeyUnknown: "api_key_invalid",
    refusals.KeyOfAnotherService: "api_key_invalid",  # Rivya has no own code for this
    refusals.KeyDisabled: "api_key_revoked",  # Rivya's documents have no disabled keys
    refusals.KeyRevoked: "api_key_revoked",
    refusals.KeyExpired: "api_key_expired",
    refusals.ScopeDenied: "api_scope_denied",
    refusals.RateLimited: "rate_limited",
    refusals.TooManyInFlight: "rate_limited",
    refusals.Invalid: "validation_failed",
    refusals.UnknownTask: "not_found",
    refusals.UnknownFile: "not_found",
    refusals.UnknownPath: "not_found",
    refusals.MethodNotAllowed: "method_not_allowed",
    refusals.UnknownEndpoint: "not_found",
    refusals.WebhookUrlRejected: "webhook_url_rejected",
    refusals.InsufficientCredits: "insufficient_credits",
    refusals.IdempotencyMismatch: "idempotency_conflict",
    refusals.IdempotencyRunning: "idempotency_conflict",
    refusals.CannotStore: "internal_error",
    refusals.ShuttingDown: "internal_error",
}


def rivya_errors(contract: Contract, settings: Settings) -> CodedErrors:
    """Rivya's error answers. The status of each code is in the contract's error table."""
    own = settings.of(RivyaSettings)
    statuses = contract.error_statuses("rivya")
    statuses["insufficient_credits"] = own.insufficient_credits_status
    return CodedErrors("rivya", statuses, CODES, _body, sends_retry_after=own.retry_after)


def _body(call: Call, code: str, message: str, _: refusals.Refusal | None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "requestId": call.exchange.id}}
