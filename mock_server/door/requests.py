"""The journal of a world: listing, verifying and clearing its requests."""

import asyncio
from copy import copy
from math import inf
from typing import Annotated, Literal

from msgspec import Meta
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.journal import Exchange, Journal
from mock_server.core.request_match import (
    Expectation,
    RequestFilter,
    RequestMatch,
    first_out_of_order,
    matching,
    near_misses,
)
from mock_server.door.journal_export import Record
from mock_server.door.queries import Query
from mock_server.door.worlds import found, world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.long_answer import LongAnswer, json_list
from mock_server.edge.typed_body import TypedBody


class RequestQuery(RequestFilter, frozen=True):
    """since: only requests after the one with this id. limit: only the newest so many.
    format: of the answer; `har` is for the network tab of a browser, `ndjson` has a line for each
    request."""

    since: str | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None
    format: Literal["json", "ndjson", "har"] = "json"


EXPECTATION: TypedBody[Expectation] = TypedBody(Expectation)
QUERY: Query[RequestQuery] = Query(RequestQuery)


async def list_requests(call: Call) -> Response:
    """GET /_mock/worlds/{world}/requests: the requests, the oldest first.
    Filters and `format` are in the query. Those under way are included, without an answer.
    Credentials are not shown. How many are no longer kept is in `evicted`, in the HAR's comment, or
    for NDJSON in the header Mock-Evicted. A `note` (for NDJSON the header Mock-Note) says that the
    request of `since` is not kept."""
    world, asked = world_of(call), QUERY.of(call)
    exchanges, note = newer_than(world.journal, asked.since, "since")
    exchanges = list(matching(exchanges, RequestMatch.of(asked)))
    exchanges = exchanges[-(asked.limit or len(exchanges)) :] if exchanges else []
    record = Record(world)
    if asked.format == "ndjson":
        headers = {"Mock-Evicted": str(world.journal.evicted)}
        headers |= {"Mock-Note": note} if note else {}
        return LongAnswer(record.ndjson(exchanges), headers, "application/x-ndjson")
    if asked.format == "har":
        return LongAnswer(record.har(exchanges, {"api": call.base_url, "media": call.media_url}))
    journal = answers.Journal((), world.journal.evicted, note)
    return json_list(journal, "requests", map(record.shown, exchanges))


async def get_request(call: Call) -> Response:
    """GET /_mock/worlds/{world}/requests/{request_id}: one request with its answer."""
    world = world_of(call)
    exchange = world.journal.get(call.path_value("request_id"))
    sentence = "no request with that id is known (any more)"
    return json_response(Record(world).shown(found(exchange, sentence)))


async def clear_requests(call: Call) -> Response:
    """DELETE /_mock/worlds/{world}/requests: forget the requests that have ended."""
    world = world_of(call)
    world.journal.clear()
    return json_response(answers.Journal((), world.journal.evicted))


async def verify_requests(call: Call) -> Response:
    """POST /_mock/worlds/{world}/requests/verify: whether the expected requests came.
    `{"match": {…}, "count": 1}`, `at_least`, `at_most`, or `{"order": [{…}, {…}]}`. The answer has
    `verified`, a sentence about what was found, and the nearest requests. `verified` is null if it
    depends on requests that the journal no longer keeps."""
    world = world_of(call)
    wanted = EXPECTATION.read(call.json(), call.server.apis)
    exchanges = [copy(each) for each in world.journal]  # as they are now
    # In a thread: it may parse every body once for each request of `order`.
    verdict = await asyncio.to_thread(
        _verified, exchanges, world.journal.lost, Record(world), wanted
    )
    return json_response(verdict)


def _verified(
    exchanges: list[Exchange], lost: int, record: Record, wanted: Expectation
) -> answers.Verdict:
    matched = [exchange.id for exchange in matching(exchanges, wanted.match)]
    undecided = sum(map(wanted.match.is_undecided, exchanges))
    verified = wanted.counts(len(matched), inf if lost else undecided)
    sentence = f"expected {wanted.words} such requests, found {len(matched)}"
    missed = wanted.match
    place = first_out_of_order(exchanges, wanted.order) if verified is not False else None
    if wanted.order and verified:
        sentence = f"{_plural(len(wanted.order), 'request')} in this order"
    if place is not None:
        missed = wanted.order[place]
        sentence = f"no request like /order/{place} came after those before it in the order"
        undecided = sum(any(each.is_undecided(one) for each in wanted.order) for one in exchanges)
        verified = None if lost or undecided else False
    if verified is None:
        sentence += _why_unknown(lost, undecided)
    near = [] if verified else near_misses(exchanges, missed, record.redacted)
    return answers.Verdict(verified, sentence, tuple(matched), tuple(near))


def _why_unknown(lost: int, undecided: int) -> str:
    if lost:
        older, verb = _plural(lost, "older request"), "is" if lost == 1 else "are"
        why = f"{older} {verb} no longer in the journal (limits.journal_exchanges)"
    else:
        cut = _plural(undecided, "request")
        why = f"of {cut} only a part of the body is kept (limits.journal_body_bytes)"
    return f"; whether that is all is not known: {why}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def newer_than(journal: Journal, given: str | None, name: str) -> tuple[list[Exchange], str | None]:
    """The requests after the one with this id; if it is not kept, all requests and a note.
    name: of the query parameter with the id."""
    newer = None if given is None else journal.after(given)
    if newer is not None or given is None:
        return list(journal) if newer is None else newer, None
    older = _plural(journal.evicted, "older request")
    verb = "is" if journal.evicted == 1 else "are"
    note = f"the request of '{name}' is not in the journal (any more), so all its requests count"
    return list(journal), f"{note}; {older} {verb} no longer kept"
