"""The server's own error answers: `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from mock_server.core import refusals
from mock_server.core.refusals import Invalid, MediaExpired, OtherShard, RateLimited, Refusal
from mock_server.core.shards import name_of
from mock_server.edge.call import Call, json_response

FORCED = "this error was asked for: no rule of the API was broken"
"""The message of an error that a fault makes, unless the fault has its own message."""

SERVER_BROKE = "the server broke; its log says how"

_STATUSES: Mapping[type[Refusal], int] = {
    refusals.ControlTokenWrong: 401,
    refusals.ForeignPage: 403,
    refusals.UnknownPath: 404,
    refusals.MethodNotAllowed: 405,
    refusals.Conflict: 409,
    refusals.OtherShard: 421,
    refusals.RateLimited: 429,
}


_EXPIRED = {
    403: ("AccessDenied", "Request has expired"),
    404: ("NoSuchKey", "The specified key does not exist."),
    410: ("Gone", "The object has expired"),
}
"""What a store of objects says of an expired URL, by the status of its answer."""


class ProblemErrors:
    """Builds the error answers of paths that belong to no API."""

    api = ""
    statuses: Mapping[str, int | None] = MappingProxyType({})

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""
        if isinstance(refusal, MediaExpired):
            code, message = _EXPIRED[refusal.status]
            body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            return Response(body, refusal.status, media_type="application/xml")
        status = _STATUSES.get(type(refusal), 400)
        retry_after_s = refusal.retry_after_s if isinstance(refusal, RateLimited) else None
        members: dict[str, Any] = {}
        if isinstance(refusal, Invalid):
            members["errors"] = [
                {"pointer": each.place, "rule": each.rule, "detail": each.sentence}
                for each in refusal.violations
            ]
        if isinstance(refusal, OtherShard):
            members["shard"] = name_of(refusal.shard)
        # The control token is no HTTP authentication: its 401 names no scheme.
        headers = {} if status == 401 else error_headers(call, status, retry_after_s)
        return problem(call, status, str(refusal), headers=headers, members=members)

    def internal_error(self, call: Call) -> Response:
        """The answer when the server itself is broken."""
        return problem(call, 500, SERVER_BROKE)

    def error(
        self, call: Call, code: str, message: str | None, retry_after: str | None
    ) -> Response:
        """A problem that says that this code is unknown: these paths have no error codes."""
        headers = error_headers(call, 500, retry_after)
        return problem(call, 500, message or f"nothing here has an error '{code}'", headers=headers)


def error_headers(
    call: Call, status: int | None, retry_after: int | str | None = None
) -> dict[str, str]:
    """Retry-After if there is a wait, WWW-Authenticate with 401, Allow with 405.
    retry_after: in seconds, or the whole value."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif status == 405:
        headers["Allow"] = ", ".join(call.allowed)
    return headers


def problem(call: Call, status: int, sentence: str, **more: Any) -> Response:
    """A problem document about a call. more: as in `problem_at`."""
    return problem_at(call.exchange.path, status, sentence, **more)


def problem_at(
    path: str,
    status: int,
    sentence: str,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """A problem document about a path. members: in addition to title, status and instance."""
    body = {"title": sentence, "status": status, "instance": path}
    response = json_response(body | dict(members or {}), status, headers)
    response.headers["content-type"] = "application/problem+json"
    return response
