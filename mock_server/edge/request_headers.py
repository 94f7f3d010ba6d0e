"""The headers of requests, and what follows from them alone."""

from starlette.types import Scope

from mock_server.core.accounts import KeyRing
from mock_server.core.journal import Headers
from mock_server.edge.credentials import read_authorization

REQUEST_HEADERS = "hailuo_mock.headers"
"""The key of a scope under which the server's protocol puts the RequestHeaders of a request."""


class RequestHeaders:
    """The headers of a request, and what follows from them alone. Requests with the same headers
    share one, so that each fact is found out once.

    lines: the headers in order, their names in lower case.
    by_name: by lower-case name; of a repeated header, the first.
    authorization: the two parts of the Authorization header, unchanged.
    secret: the key in it, with the scenario that may follow it; empty without one.
    may_name_scenarios: whether they may name a scenario: a quick check.
    is_json: whether they are known to announce a JSON body.
    kept, kept_by: what a journal keeps of them, and the keys of its world; None if that is unknown,
        or if a credential is not one of these keys.
    """

    __slots__ = (
        "authorization",
        "by_name",
        "is_json",
        "kept",
        "kept_by",
        "lines",
        "may_name_scenarios",
        "secret",
    )

    def __init__(self, lines: list[tuple[bytes, bytes]]) -> None:
        self.lines = lines
        self.by_name = by_name = dict(reversed(lines))
        value = by_name.get(b"authorization", b"")
        self.authorization = read_authorization(value)
        self.secret = self.authorization.credential.strip()
        self.may_name_scenarios = (
            b"mock-scenario" in by_name or b"prefer" in by_name or b"+" in value
        )
        self.is_json = False
        self.kept: Headers = ()
        self.kept_by: KeyRing | None = None


def headers_of(scope: Scope) -> RequestHeaders:
    """The headers of a request."""
    known: RequestHeaders | None = scope.get(REQUEST_HEADERS)
    if known is None or known.lines is not scope["headers"]:  # another app may have changed them
        known = scope[REQUEST_HEADERS] = RequestHeaders(scope["headers"])
    return known
