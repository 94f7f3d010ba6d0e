"""The journal of a world, asked from outside: which requests came, and whether they should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from mock_server.control.answers import Api, Exchange, Journal, Verdict
from mock_server.control.wire import Call, Question, Steps, step
from mock_server.core.faults import Operation


class Filters(TypedDict, total=False):
    """Which requests are meant: those that have all of this.

    path: without the world before it, `*` stands for anything. task: the one it made or looked at.
    """

    method: str
    path: str
    api: Api
    operation: Operation
    status: int
    account: str
    task: str


class Match(Filters, total=False):
    """The same, by what was sent too. body: values by JSON Pointer in the request's JSON."""

    body: Mapping[str, Any]


class RequestCalls:
    """What can be asked about the requests of a world."""

    _path: str

    @Call
    def requests(self, **filters: Unpack[Filters]) -> Steps[list[Exchange]]:
        """The requests that came, the oldest first; also those that are under way."""
        reply = yield Question("GET", f"{self._path}/requests", query=query_of(filters))
        return list(reply.read(Journal).requests)

    @Call
    def journal(
        self, *, since: str | None = None, limit: int | None = None, **filters: Unpack[Filters]
    ) -> Steps[Journal]:
        """The same, and how many requests are no longer kept.

        since: only those after the request with this id. limit: only the newest so many.
        """
        query = query_of(filters) | {"since": since, "limit": limit}
        return (yield Question("GET", f"{self._path}/requests", query=query)).read(Journal)

    @Call
    def export(self, format: Literal["har", "ndjson"], **filters: Unpack[Filters]) -> Steps[bytes]:
        """The journal as a document for other tools."""
        query = query_of(filters) | {"format": format}
        return (yield Question("GET", f"{self._path}/requests", query=query)).content

    @Call
    def request(self, request_id: str) -> Steps[Exchange]:
        """One request; its id is in the answer's `Mock-Request`."""
        reply = yield Question("GET", f"{self._path}/requests/{step(request_id)}")
        return reply.read(Exchange)

    @Call
    def clear_requests(self) -> Steps[None]:
        """Forget the requests that have been answered."""
        yield Question("DELETE", f"{self._path}/requests")

    @Call
    def verify(
        self,
        *,
        count: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        order: Sequence[Match] = (),
        **match: Unpack[Match],
    ) -> Steps[Verdict]:
        """Assert that so many such requests came; without a number, at least one.

        order: such requests came one after the other, others perhaps between them. Raises
        AssertionError with what was found and what came near, also if that cannot be told because
        requests had to go from the journal; `clear_requests` begins a new count.
        """
        __tracebackhide__ = True
        bounds = {"count": count, "at_least": at_least, "at_most": at_most}
        body: dict[str, Any] = {"match": match, "order": order}
        body |= {name: bound for name, bound in bounds.items() if bound is not None}
        verdict = (yield Question("POST", f"{self._path}/requests/verify", body)).read(Verdict)
        if not verdict.verified:
            raise AssertionError(str(verdict))
        return verdict


def query_of(filters: Filters) -> dict[str, str | int | float | None]:
    """Filters as a query says them."""
    query: dict[str, Any] = {**filters}
    return query
