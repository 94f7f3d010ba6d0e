"""Calls that read the journal of a world and verify its requests."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from mock_server.control.answers import Api, Exchange, Journal, Verdict
from mock_server.control.transport import Caller, ClientMethod, Request, RequestFlow, step
from mock_server.core.apis import Operation


class Filters(TypedDict, total=False):
    """Selects the requests that have all of these values.
    path: without `/w/WORLD`; `*` matches any text. task: the task that the request made or read."""

    method: str
    path: str
    api: Api
    operation: Operation
    status: int
    account: str
    task: str


class Match(Filters, total=False):
    """Selects by headers and the body, too.
    headers: by name True for present, False for absent, or a regular expression for the value; a
    credential only as present or absent. body: values by JSON Pointer in the request's JSON."""

    headers: Mapping[str, bool | str]
    body: Mapping[str, Any]


class RequestCalls(Caller):
    """The calls about the requests of a world."""

    @ClientMethod
    def requests(self, **filters: Unpack[Filters]) -> RequestFlow[list[Exchange]]:
        """The requests in the journal, the oldest first, those under way included."""
        reply = yield Request("GET", f"{self._path}/requests", query={**filters})
        return list(reply.read(Journal).requests)

    @ClientMethod
    def journal(
        self, *, since: str | None = None, limit: int | None = None, **filters: Unpack[Filters]
    ) -> RequestFlow[Journal]:
        """The requests in the journal, and the number of deleted ones.
        since: only requests after the one with this id. limit: the maximum number, the newest."""
        query = {**filters, "since": since, "limit": limit}
        return (yield Request("GET", f"{self._path}/requests", query=query)).read(Journal)

    @ClientMethod
    def export(
        self, format: Literal["har", "ndjson"], **filters: Unpack[Filters]
    ) -> RequestFlow[bytes]:
        """The journal as a document for other tools."""
        query = {**filters, "format": format}
        return (yield Request("GET", f"{self._path}/requests", query=query)).content

    @ClientMethod
    def request(self, request_id: str) -> RequestFlow[Exchange]:
        """One request by its id, which is in the answer's header `Mock-Request`."""
        reply = yield Request("GET", f"{self._path}/requests/{step(request_id)}")
        return reply.read(Exchange)

    @ClientMethod
    def clear_requests(self) -> RequestFlow[None]:
        """Delete the requests that have been answered."""
        yield Request("DELETE", f"{self._path}/requests")

    @ClientMethod
    def verify(
        self,
        *,
        count: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        order: Sequence[Match] = (),
        **match: Unpack[Match],
    ) -> RequestFlow[Verdict]:
        """Assert that this number of matching requests came; without a number, at least one.

        order: matching requests came in this order; others may have come in between. Raises
        AssertionError with what was found and the nearest requests, also if the result depends on
        requests that the journal no longer keeps; `clear_requests` starts a new count.
        """
        __tracebackhide__ = True
        bounds = {"count": count, "at_least": at_least, "at_most": at_most}
        body: dict[str, Any] = {"match": match, "order": order}
        body |= {name: bound for name, bound in bounds.items() if bound is not None}
        verdict = (yield Request("POST", f"{self._path}/requests/verify", body)).read(Verdict)
        if not verdict.verified:
            raise AssertionError(str(verdict))
        return verdict
