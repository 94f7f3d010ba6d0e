"""The journal: what was asked and answered, whether it was what should have been."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import inf
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.core.faults import Api, Operation
from mock_server.core.journal import Exchange, Journal
from mock_server.core.refusals import UnknownPath
from mock_server.core.request_match import (
    Expectation,
    RequestMatch,
    first_out_of_order,
    matching,
    near_misses,
)
from mock_server.door.journal_export import Record
from mock_server.door.queries import Query
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import LongAnswer, json_list
from mock_server.edge.typed_body import TypedBody


class RequestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests to show, and how.

    path: may have `*` for anything. since: only those after the one with this id. limit: only the
    newest so many.
    """

    method: str | None = None
    path: str | None = None
    api: Api | None = None
    operation: Operation | None = None
    status: int | None = None
    account: str | None = None
    task: str | None = None
    since: str | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None
    format: Literal["json", "ndjson", "har"] = "json"

    @property
    def match(self) -> RequestMatch:
        """What the requests have in common."""
        named = ("method", "path", "api", "operation", "status", "account", "task")
        return RequestMatch(**{name: getattr(self, name) for name in named})


EXPECTATION: TypedBody[Expectation] = TypedBody(Expectation)
QUERY: Query[RequestQuery] = Query(RequestQuery)


async def list_requests(call: Call) -> Response:
    """GET /_mock/worlds/{world}/requests: oldest first; filters and `format` stand in the query.

    Those under way are there as well, without an answer. Credentials are not shown. How many had to
    go is in `evicted`, in the HAR's comment, or for NDJSON in the header Mock-Evicted. `note` (for
    NDJSON the header Mock-Note) says that the request of `since` is not there.
    """
    world, asked = world_of(call), QUERY.read(call)
    exchanges, note = later(world.journal, asked.since, "since")
    exchanges = list(matching(exchanges, asked.match))
    exchanges = exchanges[-(asked.limit or len(exchanges)) :] if exchanges else []
    record = Record(world)
    if asked.format == "ndjson":
        headers = {"Mock-Evicted": str(world.journal.evicted)}
        headers |= {"Mock-Note": note} if note else {}
        return LongAnswer(record.ndjson(exchanges), 200, headers, "application/x-ndjson")
    if asked.format == "har":
        return LongAnswer(record.har(exchanges, call.base_url))
    members = {"evicted": world.journal.evicted} | ({"note": note} if note else {})
    return json_list("requests", map(record.shown, exchanges), **members)


async def get_request(call: Call) -> Response:
    """GET /_mock/worlds/{world}/requests/{request_id}: one request with its answer."""
    world = world_of(call)
    exchange = world.journal.get(call.path_value("request_id"))
    if exchange is None:
        raise UnknownPath("no request with that id is known (any more)")
    return json_response(Record(world).shown(exchange))


async def clear_requests(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}/requests: forget those that have ended."""
    world = world_of(call)
    world.journal.clear()
    return json_response({"requests": [], "evicted": world.journal.evicted})


async def verify_requests(call: Call) -> Response:
    """POST /_mock/worlds/{world}/requests/verify: whether the journal holds what it should.

    `{"match": {…}, "count": 1}`, `at_least`, `at_most`, or `{"order": [{…}, {…}]}`. The answer says
    `verified`, in a sentence what was found, and which requests came near. `verified` is null if it
    depends on requests that the journal no longer keeps.
    """
    world = world_of(call)
    wanted = EXPECTATION.read(call.json())
    exchanges = [replace(each) for each in world.journal]  # as they are now
    # In a thread: every body may have to be read, for every request of an order.
    verdict = await asyncio.to_thread(
        _verified, exchanges, world.journal.lost, Record(world), wanted
    )
    return json_response(verdict)


def _verified(
    exchanges: list[Exchange], lost: int, record: Record, wanted: Expectation
) -> dict[str, Any]:
    found = [exchange.id for exchange in matching(exchanges, wanted.match)]
    undecided = sum(map(wanted.match.is_undecided, exchanges))
    verified = wanted.counts(len(found), inf if lost else undecided)
    said = f"expected {wanted.words} such requests, found {len(found)}"
    missed = wanted.match
    place = first_out_of_order(exchanges, wanted.order) if verified is not False else None
    if wanted.order and verified:
        said = f"{_plural(len(wanted.order), 'request')} in this order"
    if place is not None:
        missed = wanted.order[place]
        said = f"nothing like /order/{place} comes after what stands before it"
        undecided = sum(any(each.is_undecided(one) for each in wanted.order) for one in exchanges)
        verified = None if lost or undecided else False
    if verified is None:
        said += _why_unknown(lost, undecided)
    near = [] if verified else near_misses(exchanges, missed, record.redacted)
    return {
        "verified": verified,
        "said": said,
        "requests": found,
        "near_misses": msgspec.to_builtins(near),
    }


def _why_unknown(lost: int, undecided: int) -> str:
    if lost:
        gone = _plural(lost, "older request")
        why = f"{gone} had to go from the journal (limits.journal_exchanges)"
    else:
        cut = _plural(undecided, "request")
        why = f"of {cut} only a part of the body is kept (limits.journal_body_bytes)"
    return f"; whether that is all cannot be told: {why}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def later(journal: Journal, request_id: str | None, name: str) -> tuple[list[Exchange], str | None]:
    """The requests after the one with this id; all of them, and a note, if it is not there.

    name: what the id is called in the query.
    """
    found = None if request_id is None else journal.after(request_id)
    if found is not None or request_id is None:
        return list(journal) if found is None else found, None
    gone = _plural(journal.evicted, "older request")
    note = f"the journal does not have the request of '{name}' (any more), so all that it has count"
    return list(journal), f"{note}; {gone} had to go"
