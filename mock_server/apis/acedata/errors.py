"""What Ace Data Cloud calls each refusal, and the envelope it comes in."""

from __future__ import annotations

from starlette.responses import Response

from mock_server.apis.acedata import wire
from mock_server.config.settings import AceDataSettings
from mock_server.contract.contract import Contract
from mock_server.core import refusals as no
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import FORCED

CODES: dict[type[no.Refusal], str] = {
    no.ApiSwitchedOff: "api_not_implemented",
    no.KeyMissing: "no_token",
    no.KeyUnknown: "invalid_token",
    no.KeyRevoked: "invalid_token",
    no.KeyOfAnotherService: "token_mismatched",
    no.KeyDisabled: "disabled",
    no.KeyExpired: "token_expired",
    no.RateLimited: "too_many_requests",
    no.Invalid: "bad_request",
    no.PromptForbidden: "forbidden",
    no.InsufficientCredits: "used_up",
    no.UnknownTask: "task_not_found",
    no.UnknownPath: "no_api",
    no.MethodNotAllowed: "method_not_allowed",
    no.TaskBroke: "api_error",
    no.HeldTooLong: "timeout",
    no.ShuttingDown: "api_error",
}


class AceDataVoice:
    """Says no in the vendor's envelope; the status of each code is in the contract's table."""

    api = "acedata"

    def __init__(self, contract: Contract, settings: AceDataSettings) -> None:
        codes = contract.error_codes("acedata")
        self.statuses: dict[str, int | None] = {code: row.status for code, row in codes.items()}
        self._sends_retry_after = settings.retry_after

    def refuse(self, call: Call, refusal: no.Refusal) -> Response:
        """The answer for a refusal. What became of a task is told under the task's own trace."""
        headers = {}
        code = CODES[type(refusal)]
        status = self.statuses[code] or 500
        if isinstance(refusal, no.RateLimited) and self._sends_retry_after:
            headers["Retry-After"] = str(refusal.retry_after_s)
        elif status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        elif isinstance(refusal, no.MethodNotAllowed):
            headers["Allow"] = ", ".join(refusal.allowed)
        ids = call.world.ids
        trace_id = (
            wire.trace_id(ids, refusal.task_id)
            if isinstance(refusal, no.TaskBroke)
            else ids.uuid("error_trace", call.exchange.id)
        )
        return json_response(wire.error(code, str(refusal), trace_id), status, headers)

    def error(
        self, call: Call, code: str, message: str | None, retry_after_s: int | None
    ) -> Response:
        """The answer with this code, though no rule wants it."""
        headers = {}
        if retry_after_s is not None:
            headers["Retry-After"] = str(retry_after_s)
        status = self.statuses[code] or 500
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        elif self.statuses[code] == 405:
            headers["Allow"] = ", ".join(call.allowed)
        trace_id = call.world.ids.uuid("error_trace", call.exchange.id)
        return json_response(wire.error(code, message or FORCED, trace_id), status, headers)

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""
        trace_id = call.world.ids.uuid("error_trace", call.exchange.id)
        body = wire.error("api_error", "the server broke; its log says how", trace_id)
        return json_response(body, self.statuses["api_error"] or 500)
