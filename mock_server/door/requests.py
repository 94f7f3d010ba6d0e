"""The journal: what was asked and answered, whether it was what should have been."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.core.journal import Exchange
from mock_server.core.refusals import UnknownPath
from mock_server.core.request_match import (
    Expectation,
    RequestMatch,
    first_out_of_order,
    matching,
    near_misses,
)
from mock_server.door.queries import Query
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.typed_body import TypedBody
from mock_server.recorded import Record


class RequestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which requests to show, and how.

    path: may have `*` for anything. since: only those after the one with this id. limit: only the
    newest so many.
    """

    method: str | None = None
    path: str | None = None
    api: str | None = None
    operation: str | None = None
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
    go is in `evicted`, in the HAR's comment, or for NDJSON in the header Mock-Evicted.
    """
    world, asked = world_of(call), QUERY.read(call)
    exchanges = list(matching(_after(list(world.journal), asked.since), asked.match))
    exchanges = exchanges[-(asked.limit or len(exchanges)) :] if exchanges else []
    record = Record(world)
    if asked.format == "ndjson":
        evicted = {"Mock-Evicted": str(world.journal.evicted)}
        return Response(record.ndjson(exchanges), 200, evicted, "application/x-ndjson")
    if asked.format == "har":
        return json_response(record.har(exchanges, call.base_url))
    shown = [record.shown(exchange) for exchange in exchanges]
    return json_response({"requests": shown, "evicted": world.journal.evicted})


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
    `verified`, in a sentence what was found, and which requests came near.
    """
    world = world_of(call)
    exchanges = list(world.journal)
    _, body = await call.json()
    return json_response(_verified(exchanges, EXPECTATION.read(body), Record(world)))


def _verified(exchanges: list[Exchange], wanted: Expectation, record: Record) -> dict[str, Any]:
    found = [exchange.id for exchange in matching(exchanges, wanted.match)]
    verified = wanted.counts(len(found))
    said = f"expected {wanted.words} such requests, found {len(found)}"
    missed = wanted.match
    if verified and wanted.order:
        place = first_out_of_order(exchanges, wanted.order)
        verified = place is None
        said = f"{len(wanted.order)} requests in this order"
        if place is not None:
            missed = wanted.order[place]
            said = f"nothing like /order/{place} comes after what stands before it"
    near = [] if verified else near_misses(exchanges, missed, record.redacted)
    return {
        "verified": verified,
        "said": said,
        "requests": found,
        "near_misses": msgspec.to_builtins(near),
    }


def _after(exchanges: list[Exchange], since: str | None) -> list[Exchange]:
    """Those after the one with this id; all of them if it is not known (any more)."""
    for place, exchange in enumerate(exchanges):
        if exchange.id == since:
            return exchanges[place + 1 :]
    return exchanges
