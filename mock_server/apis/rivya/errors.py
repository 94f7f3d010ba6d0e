"""What Rivya calls each refusal, and the envelope it comes in."""

from __future__ import annotations

from starlette.responses import Response

from mock_server.config.settings import RivyaSettings
from mock_server.contract.contract import Contract
from mock_server.core import refusals as no
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import FORCED

CODES: dict[type[no.Refusal], str] = {
    no.ApiSwitchedOff: "public_api_disabled",
    no.KeyMissing: "api_key_missing",
    no.KeyUnknown: "api_key_invalid",
    no.KeyOfAnotherService: "api_key_invalid",  # to Rivya it is just a wrong key
    no.KeyDisabled: "api_key_revoked",  # Rivya's documents know no key that is only paused
    no.KeyRevoked: "api_key_revoked",
    no.KeyExpired: "api_key_expired",
    no.ScopeDenied: "api_scope_denied",
    no.RateLimited: "rate_limited",
    no.Invalid: "validation_failed",
    no.UnknownTask: "not_found",
    no.UnknownFile: "not_found",
    no.UnknownPath: "not_found",
    no.MethodNotAllowed: "method_not_allowed",
    no.UnknownEndpoint: "not_found",
    no.WebhookUrlRejected: "webhook_url_rejected",
    no.InsufficientCredits: "insufficient_credits",
    no.IdempotencyMismatch: "idempotency_conflict",
    no.IdempotencyRunning: "idempotency_conflict",
    no.CannotStore: "internal_error",
    no.ShuttingDown: "internal_error",
}


class RivyaVoice:
    """Says no in Rivya's envelope; the status of each code is in the contract's error table."""

    api = "rivya"

    def __init__(self, contract: Contract, settings: RivyaSettings) -> None:
        codes = contract.error_codes("rivya")
        self.statuses: dict[str, int | None] = {code: row.status for code, row in codes.items()}
        self.statuses["insufficient_credits"] = settings.insufficient_credits_status
        self._sends_retry_after = settings.retry_after

    def refuse(self, call: Call, refusal: no.Refusal) -> Response:
        """The answer for a refusal."""
        headers = {}
        if isinstance(refusal, no.RateLimited) and self._sends_retry_after:
            headers["Retry-After"] = str(refusal.retry_after_s)
        elif isinstance(refusal, no.KeyRefused):
            headers["WWW-Authenticate"] = "Bearer"
        elif isinstance(refusal, no.MethodNotAllowed):
            headers["Allow"] = ", ".join(refusal.allowed)
        return self._envelope(call, CODES[type(refusal)], str(refusal), headers)

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""
        return self._envelope(call, "internal_error", "the server broke; its log says how", {})

    def error(
        self, call: Call, code: str, message: str | None, retry_after_s: int | None
    ) -> Response:
        """The answer with this code, though no rule wants it."""
        headers = {}
        if retry_after_s is not None:
            headers["Retry-After"] = str(retry_after_s)
        if self.statuses[code] == 401:
            headers["WWW-Authenticate"] = "Bearer"
        elif self.statuses[code] == 405:
            headers["Allow"] = ", ".join(call.allowed)
        return self._envelope(call, code, message or FORCED, headers)

    def _envelope(self, call: Call, code: str, message: str, headers: dict[str, str]) -> Response:
        error = {"code": code, "message": message, "requestId": call.exchange.id}
        return json_response({"error": error}, self.statuses[code] or 500, headers)
