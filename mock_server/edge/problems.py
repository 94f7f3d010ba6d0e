"""How the fake says no for itself: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from mock_server.core.refusals import (
    Conflict,
    ControlTokenWrong,
    ForeignPage,
    Invalid,
    MethodNotAllowed,
    RateLimited,
    Refusal,
    UnknownPath,
)
from mock_server.edge.call import Call, json_response

FORCED = "this error was asked for: no rule of the API was broken"
"""The message of an error that a fault makes, unless the fault has one of its own."""


class ProblemVoice:
    """Says no where no vendor's words apply."""

    api = ""
    statuses: Mapping[str, int | None] = MappingProxyType({})

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""
        headers: dict[str, str] = {}
        members: dict[str, Any] = {}
        status = 400
        match refusal:
            case UnknownPath():
                status = 404
            case ControlTokenWrong():
                status = 401
            case ForeignPage():
                status = 403
            case Conflict():
                status = 409
            case RateLimited():
                headers, status = {"Retry-After": str(refusal.retry_after_s)}, 429
            case MethodNotAllowed():
                headers, status = {"Allow": ", ".join(refusal.allowed)}, 405
            case Invalid():
                members["errors"] = [
                    {"pointer": each.place, "rule": each.rule, "detail": each.sentence}
                    for each in refusal.violations
                ]
        return problem(call, status, str(refusal), headers, members)

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""
        return problem(call, 500, "the server broke; its log says how")

    def error(
        self, call: Call, code: str, message: str | None, retry_after_s: int | None
    ) -> Response:
        """There are no codes here; whoever asks for one gets a problem that says so."""
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return problem(call, 500, message or f"nothing here has an error '{code}'", headers)


def problem(
    call: Call,
    status: int,
    sentence: str,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """A problem document; `members` stand beside its title, status and instance."""
    body = {"title": sentence, "status": status, "instance": call.exchange.path}
    response = json_response(body | dict(members or {}), status, headers)
    response.headers["content-type"] = "application/problem+json"
    return response
