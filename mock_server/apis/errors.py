"""Error answers of an API with a table of error codes."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from mock_server.core.refusals import RateLimited, Refusal, ShuttingDown
from mock_server.edge.call import Call, json_response
from mock_server.edge.problems import FORCED, SERVER_BROKE, error_headers

ErrorBody = Callable[[Call, str, str, Refusal | None], dict[str, Any]]
"""Makes the body of an error answer from its code, its message and its refusal, if there is one."""


class CodedErrors:
    """Builds the error answers of one API."""

    def __init__(
        self,
        api: str,
        statuses: Mapping[str, int | None],
        codes: Mapping[type[Refusal], str],
        body: ErrorBody,
        *,
        sends_retry_after: bool,
    ) -> None:
        """statuses: of each code, in the order of the table. codes: of each refusal."""
        self.api = api
        self.statuses = statuses
        self._codes = codes
        self._body = body
        self._sends_retry_after = sends_retry_after

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""
        retry_after_s = None
        if isinstance(refusal, RateLimited) and self._sends_retry_after:
            retry_after_s = refusal.retry_after_s
        return self._answer(call, self._codes[type(refusal)], str(refusal), retry_after_s, refusal)

    def internal_error(self, call: Call) -> Response:
        """The answer when the server itself is broken."""
        return self._answer(call, self._codes[ShuttingDown], SERVER_BROKE, None)

    def error(
        self, call: Call, code: str, message: str | None, retry_after: str | None
    ) -> Response:
        """The answer with this code, for a fault: no rule was broken."""
        return self._answer(call, code, message or FORCED, retry_after)

    def _answer(
        self,
        call: Call,
        code: str,
        message: str,
        retry_after: int | str | None,
        refusal: Refusal | None = None,
    ) -> Response:
        if not call.world.is_dry_run:
            call.server.counts.refusals[self.api, code] += 1
        status = self.statuses[code] or 500
        body = self._body(call, code, message, refusal)
        return json_response(body, status, error_headers(call, status, retry_after))
