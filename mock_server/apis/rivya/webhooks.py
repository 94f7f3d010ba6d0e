"""Webhook endpoints: make, look, change, take back; what was sent to them, and a test of it."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from mock_server.apis.rivya import gate, wire
from mock_server.apis.rivya.events import Events
from mock_server.contract.violations import BodyRules
from mock_server.core.deliveries import Delivery
from mock_server.core.endpoints import Endpoint, EndpointStatus
from mock_server.core.refusals import (
    Invalid,
    RateLimited,
    UnknownEndpoint,
    WebhookUrlRejected,
)
from mock_server.core.webhook_urls import require_public, require_public_addresses
from mock_server.edge import mistaken_ids
from mock_server.edge.call import Call, json_response

SCOPE = "webhooks:manage"
_LONGEST_LIST = 100
_URL_RULES = {"pattern", "maxLength"}


async def create_webhook(call: Call) -> Response:
    """POST /api/v1/webhooks: the only answer, beside that of rotation, that shows the secret."""
    key = gate.admit(call, SCOPE)
    body = call.json()
    await _require(call, call.fake.contract.webhook_create_rules, body)
    endpoint = call.world.register_endpoint(
        account=key.account,
        name=body.get("name", ""),
        url=body["url"],
        event_types=_once_each(body["event_types"]),
    )
    status = call.fake.settings.rivya.create_status
    return json_response(wire.endpoint(endpoint, with_secret=True), status)


async def list_webhooks(call: Call) -> Response:
    """GET /api/v1/webhooks: newest first, without those that were taken back."""
    key = gate.admit(call, SCOPE)
    endpoints = [
        endpoint
        for endpoint in call.world.endpoints.of(key.account)
        if endpoint.status is not EndpointStatus.REVOKED
    ]
    return _list(map(wire.endpoint, reversed(endpoints)))


async def get_webhook(call: Call) -> Response:
    """GET /api/v1/webhooks/{endpoint_id}."""
    return json_response(wire.endpoint(_endpoint(call)))


async def update_webhook(call: Call) -> Response:
    """PATCH /api/v1/webhooks/{endpoint_id}: any of name, url, event types and status."""
    _changeable(call)
    body = call.json()
    await _require(call, call.fake.contract.webhook_update_rules, body)
    endpoint = _changeable(call)  # it may have been taken back while its host was looked up
    now_ms = call.world.clock.now_ms()
    endpoint.name = body.get("name", endpoint.name)
    endpoint.url = body.get("url", endpoint.url)
    endpoint.event_types = _once_each(body.get("event_types", endpoint.event_types))
    endpoint.updated_ms = now_ms
    if "status" in body and body["status"] != endpoint.status.value:
        endpoint.set_status(EndpointStatus(body["status"]), now_ms)
    return json_response(wire.endpoint(endpoint))


async def delete_webhook(call: Call) -> Response:
    """DELETE /api/v1/webhooks/{endpoint_id}: it stays as a record, and gets nothing any more."""
    endpoint = _endpoint(call)
    if endpoint.status is not EndpointStatus.REVOKED:
        endpoint.set_status(EndpointStatus.REVOKED, call.world.clock.now_ms())
    return json_response(wire.endpoint(endpoint))


async def rotate_secret(call: Call) -> Response:
    """POST /api/v1/webhooks/{endpoint_id}/rotate-secret: the old secret is void at once, unless a
    setting gives it some time beside the new one."""
    endpoint, world = _endpoint(call), call.world
    overlap_ms = round(call.fake.settings.rivya.rotation_overlap_s * 1000)
    endpoint.rotate_secret(world.chance, world.clock.now_ms(), overlap_ms)
    return json_response(wire.endpoint(endpoint, with_secret=True))


async def test_webhook(call: Call) -> Response:
    """POST /api/v1/webhooks/{endpoint_id}/test: sends a made-up event, to this endpoint only."""
    endpoint = _endpoint(call)
    limit = call.fake.settings.deliveries.tests_waiting
    if call.world.deliveries.waiting >= limit:
        sentence = f"{limit} deliveries wait already (deliveries.tests_waiting): let them end first"
        raise RateLimited(sentence, retry_after_s=1)
    events = Events(call.fake.settings.rivya)
    delivery = events.test(call.world, endpoint, call.base_url)
    (record,) = wire.attempts(delivery, call.world.ids)
    return json_response(record)


async def list_webhook_deliveries(call: Call) -> Response:
    """GET /api/v1/webhooks/{endpoint_id}/deliveries: every attempt, newest first."""
    endpoint = _endpoint(call)
    deliveries = [each for each in _newest_first(call) if each.endpoint_id == endpoint.id]
    # A late attempt at an old event is newer than a first one at a new event. No more deliveries
    # than are shown have to be written down: those that were tried last.
    latest = {each.id for each in nlargest(_LONGEST_LIST, deliveries, key=wire.last_tried_ms)}
    records = [
        record
        for delivery in deliveries
        if delivery.id in latest
        for record in wire.attempts(delivery, call.world.ids)
    ]
    return _list(sorted(records, key=itemgetter("created_at"), reverse=True))


async def list_webhook_events(call: Call) -> Response:
    """GET /api/v1/webhook-events: what endpoints of this account were told, newest first."""
    key = gate.admit(call, SCOPE)
    events = {
        delivery.event.id: delivery.event
        for delivery in _newest_first(call)
        if delivery.endpoint_id is not None and delivery.event.account == key.account
    }
    return _list(msgspec.json.decode(event.body) for event in events.values())


def _endpoint(call: Call) -> Endpoint:
    """The endpoint of the path. Refuses as `admit` does, and with UnknownEndpoint."""
    key = gate.admit(call, SCOPE)
    endpoint_id = call.path_value("endpoint_id")
    try:
        return call.world.endpoints.find(endpoint_id, key.account)
    except UnknownEndpoint as unknown:
        raise mistaken_ids.told(unknown, endpoint_id, mistaken_ids.ENDPOINT) from None


def _changeable(call: Call) -> Endpoint:
    """The endpoint of the path. Refuses as `_endpoint` does, also if it was taken back."""
    endpoint = _endpoint(call)
    if endpoint.status is EndpointStatus.REVOKED:
        raise UnknownEndpoint("this webhook endpoint was taken back, for good")
    return endpoint


def _newest_first(call: Call) -> Iterable[Delivery]:
    return reversed(list(call.world.deliveries))


def _list(items: Iterable[Any]) -> Response:
    return json_response({"object": "list", "data": list(islice(items, _LONGEST_LIST))})


def _once_each(event_types: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event_types))


async def _require(call: Call, rules: BodyRules, body: Any) -> None:
    """Refuses with Invalid, or with WebhookUrlRejected if the address alone is wrong."""
    found = rules.violations(body) if not rules.accepts(body) else []
    about_url = [each for each in found if each.place == "/url" and each.rule in _URL_RULES]
    if len(found) > len(about_url):
        raise Invalid(found)
    if about_url:
        raise WebhookUrlRejected(str(about_url[0]))
    call.note_ignored(rules.ignored_in(body))
    if "url" in body:
        await _require_allowed(call, body["url"])


async def _require_allowed(call: Call, url: str) -> None:
    """Strictly, a name must lead to public addresses; one that leads nowhere is let through, so
    that the same requests are right on a machine without a network (rivya-webhook-names)."""
    strict = call.fake.settings.webhook_urls == "strict"
    is_callable = not strict and call.fake.sender.may_call(url)
    require_public(url, allow_loopback=not strict, is_callable=is_callable)
    if strict:
        host = urlsplit(url).hostname or ""
        require_public_addresses(host, await call.outside(call.fake.resolve(host)))
