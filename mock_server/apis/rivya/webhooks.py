"""Webhook endpoints: create, read, change, revoke and test them; list their deliveries."""

from collections.abc import Iterable
from heapq import nlargest
from itertools import islice
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from mock_server.apis.rivya import gate, response_bodies
from mock_server.apis.rivya.events import Events
from mock_server.apis.rivya.ids import ENDPOINT
from mock_server.apis.rivya.schema import webhook_create_rules, webhook_update_rules
from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.contract.violations import BodyRules
from mock_server.core.deliveries import Delivery
from mock_server.core.endpoints import Endpoint, EndpointStatus
from mock_server.core.refusals import Invalid, RateLimited, UnknownEndpoint, WebhookUrlRejected
from mock_server.core.webhook_urls import require_public, require_public_addresses
from mock_server.edge import mistaken_ids
from mock_server.edge.call import Call, json_response

SCOPE = "webhooks:manage"
_LONGEST_LIST = 100
_URL_RULES = {"pattern", "maxLength"}


async def create_webhook(call: Call) -> Response:
    """POST /api/v1/webhooks: only this answer and that of rotate-secret have the secret."""
    key = gate.admit(call, SCOPE)
    body = call.json()
    await _require(call, call.server.contract.of(webhook_create_rules), body)
    endpoint = call.world.dispatch.register_endpoint(
        account=key.account,
        name=body.get("name", ""),
        url=body["url"],
        event_types=_distinct(body["event_types"]),
    )
    status = call.server.settings.of(RivyaSettings).create_status
    return json_response(response_bodies.endpoint(endpoint, with_secret=True), status)


async def list_webhooks(call: Call) -> Response:
    """GET /api/v1/webhooks: newest first, without revoked endpoints."""
    key = gate.admit(call, SCOPE)
    endpoints = [
        endpoint
        for endpoint in call.world.endpoints.of(key.account)
        if endpoint.status is not EndpointStatus.REVOKED
    ]
    return _list(map(response_bodies.endpoint, reversed(endpoints)))


async def get_webhook(call: Call) -> Response:
    """GET /api/v1/webhooks/{endpoint_id}."""
    return json_response(response_bodies.endpoint(_endpoint(call)))


async def update_webhook(call: Call) -> Response:
    """PATCH /api/v1/webhooks/{endpoint_id}: any of name, url, event types and status."""
    _changeable(call)
    body = call.json()
    await _require(call, call.server.contract.of(webhook_update_rules), body)
    endpoint = _changeable(call)  # it may have been revoked while its host was looked up
    now_ms = call.world.clock.now_ms()
    endpoint.name = body.get("name", endpoint.name)
    endpoint.url = body.get("url", endpoint.url)
    endpoint.event_types = _distinct(body.get("event_types", endpoint.event_types))
    endpoint.updated_ms = now_ms
    if "status" in body and body["status"] != endpoint.status.value:
        endpoint.set_status(EndpointStatus(body["status"]), now_ms)
    call.world.endpoints.note_change(endpoint)
    return json_response(response_bodies.endpoint(endpoint))


async def delete_webhook(call: Call) -> Response:
    """DELETE /api/v1/webhooks/{endpoint_id}: revokes it. It can be read but gets no events."""
    endpoint = _endpoint(call)
    if endpoint.status is not EndpointStatus.REVOKED:
        endpoint.set_status(EndpointStatus.REVOKED, call.world.clock.now_ms())
        call.world.endpoints.note_change(endpoint)
    return json_response(response_bodies.endpoint(endpoint))


async def rotate_secret(call: Call) -> Response:
    """POST /api/v1/webhooks/{endpoint_id}/rotate-secret: makes a new secret. The old one stays
    valid for `rivya.rotation_overlap_s`."""
    endpoint, world = _endpoint(call), call.world
    overlap_ms = round(call.server.settings.of(RivyaSettings).rotation_overlap_s * 1000)
    endpoint.rotate_secret(world.chance, world.clock.now_ms(), overlap_ms)
    world.endpoints.note_change(endpoint)
    return json_response(response_bodies.endpoint(endpoint, with_secret=True))


async def test_webhook(call: Call) -> Response:
    """POST /api/v1/webhooks/{endpoint_id}/test: sends a made-up event to this endpoint."""
    endpoint = _endpoint(call)
    limit = call.server.settings.deliveries.tests_waiting
    if call.world.deliveries.waiting >= limit:
        sentence = f"{limit} deliveries wait already (deliveries.tests_waiting): let them end first"
        raise RateLimited(sentence, retry_after_s=1)
    events = Events(call.server.settings.of(RivyaSettings))
    delivery = events.test(call.world, endpoint, call.media_url)
    (record,) = response_bodies.attempts(delivery, call.world.ids)
    return json_response(record)


async def list_webhook_deliveries(call: Call) -> Response:
    """GET /api/v1/webhooks/{endpoint_id}/deliveries: every attempt, newest first."""
    endpoint = _endpoint(call)
    deliveries = [each for each in _newest_first(call) if each.endpoint_id == endpoint.id]
    # A late attempt of an old event is newer than the first one of a new event. Only the
    # deliveries with the latest attempts can be in the list.
    latest = {
        each.id for each in nlargest(_LONGEST_LIST, deliveries, key=response_bodies.last_tried_ms)
    }
    records = [
        record
        for delivery in deliveries
        if delivery.id in latest
        for record in response_bodies.attempts(delivery, call.world.ids)
    ]
    return _list(sorted(records, key=itemgetter("created_at"), reverse=True))


async def list_webhook_events(call: Call) -> Response:
    """GET /api/v1/webhook-events: the events sent to endpoints of this account, newest first."""
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
        raise mistaken_ids.with_hint(call, unknown, endpoint_id, ENDPOINT) from None


def _changeable(call: Call) -> Endpoint:
    """The endpoint of the path. Refuses as `_endpoint` does, and if it is revoked."""
    endpoint = _endpoint(call)
    if endpoint.status is EndpointStatus.REVOKED:
        raise UnknownEndpoint("this webhook endpoint is revoked")
    return endpoint


def _newest_first(call: Call) -> Iterable[Delivery]:
    return reversed(list(call.world.deliveries))


def _list(items: Iterable[Any]) -> Response:
    return json_response({"object": "list", "data": list(islice(items, _LONGEST_LIST))})


def _distinct(event_types: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(event_types))


async def _require(call: Call, rules: BodyRules, body: Any) -> None:
    """Refuses with Invalid, or with WebhookUrlRejected if only the URL is wrong."""
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
    """Refuses with WebhookUrlRejected a URL that `webhook_urls` does not allow.
    strict: all addresses of the host must be public. A host without an address is accepted, so
    that answers are the same on a machine without a network (rivya-webhook-names)."""
    strict = call.server.settings.webhook_urls == "strict"
    in_callback_hosts = not strict and call.server.sender.may_call(url)
    require_public(url, allow_loopback=not strict, in_callback_hosts=in_callback_hosts)
    if strict:
        host = urlsplit(url).hostname or ""
        require_public_addresses(host, await call.result_of(call.server.resolve(host)))
