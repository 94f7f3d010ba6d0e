"""Checks of webhook endpoints, and of the events that the suite receives."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.receiver import ReceivedRequest, Receiver
from contract_tests.requirements import require_refusal, require_success, require_valid
from contract_tests.rivya.generations import create, credits_of, read
from contract_tests.rivya.rules import CHEAP, RULE, known, require_equal
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.full

BOTH = ["generation.succeeded", "generation.failed"]
PUBLIC_URL = "https://hooks.example.com/rivya"
LATER_S = 24 * 3600
_SIGNATURE = re.compile(r"t=([0-9]+),v1=([0-9a-f]{64})")
_NOT_PUBLIC_URLS = (
    "https://user:pass@hooks.example.com/", "https://user@hooks.example.com/",
    "https://hooks.example.com/#fragment", "https://10.0.0.1/hook", "https://192.168.1.1/",
    "https://172.16.5.4/", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/",
    "https://[fe80::1]/", "https://[fd00::1]/", "https://printer.local/", "https://db.internal/",
    "https://224.0.0.1/", "ftp://hooks.example.com/", "http://hooks.example.com/",
)  # fmt: skip
_LOOPBACK_URLS = (
    "https://localhost/", "https://127.0.0.1/", "http://127.0.0.1:80/", "https://a.localhost/",
    "https://[::1]/", "https://127.1.2.3/", "https://[::ffff:127.0.0.1]/",
)  # fmt: skip


@contextmanager
def endpoint(caller: Caller, url: str = PUBLIC_URL, **fields: Any) -> Iterator[Exchange]:
    """The answer to a create of an endpoint, which is deleted at the end of the block."""
    body = {"name": "Render farm", "url": url, "event_types": BOTH} | fields
    created = caller.post("/webhooks", body)
    try:
        yield created
    finally:
        if created.status < 300:
            caller.request("DELETE", f"/webhooks/{created.json['id']}")


def shape(shown: Any) -> Any:
    """An endpoint without its secret and without undocumented fields."""
    return {n: v for n, v in known(shown, "WebhookEndpoint").items() if n != "signing_secret"}


def settings_of(shown: Any) -> Any:
    """The part of an endpoint that only requests change: not what deliveries change."""
    of_deliveries = ("last_success_at", "last_failure_at", "failure_count")
    return {name: value for name, value in shape(shown).items() if name not in of_deliveries}


@pytest.mark.rank(2)
@pytest.mark.holds(
    RULE + "endpoint-as-asked", RULE + "secret-shown-once", RULE + "preview-fits-secret",
    RULE + "reads-are-free", "rivya.WebhookEndpoint*", "rivya.createWebhook.200",
    "rivya.getWebhook.200", "rivya.listWebhooks.200", "rivya.parameter.EndpointId",
)  # fmt: skip
def test_a_new_endpoint_is_as_it_was_asked_for(rivya: Caller, require: Require) -> None:
    before = credits_of(rivya, require)
    with endpoint(rivya) as created:
        shown = require_success(require, RULE + "endpoint-as-asked", created)
        expected: dict[str, Any] = {
            "name": "Render farm", "url": PUBLIC_URL, "event_types": BOTH, "status": "active",
            "last_success_at": None, "last_failure_at": None, "failure_count": 0,
            "disabled_at": None, "revoked_at": None, "object": "webhook_endpoint",
        }  # fmt: skip
        got = {name: shown.get(name) for name in expected}
        require_equal(require, "endpoint-as-asked", got, expected, created)
        secret = shown.get("signing_secret", "")
        require_equal(require, "secret-shown-once", bool(secret), True, created)
        start, _, end = shown["secret_preview"].partition("...")
        fits = secret.startswith(start) and secret.endswith(end) and 0 < len(start) < len(secret)
        require(
            RULE + "preview-fits-secret", fits, expected="start...end of the secret",
            got=shown["secret_preview"], by=created,
        )  # fmt: skip
        one = rivya.get(f"/webhooks/{shown['id']}")
        require_success(require, "rivya.parameter.EndpointId", one)
        listed = rivya.get("/webhooks")
        for later in (one, listed):
            hidden = secret.encode() not in later.body and b"signing_secret" not in later.body
            require(
                RULE + "secret-shown-once", hidden, expected="no secret", got="the secret", by=later
            )
        require_equal(require, "endpoint-as-asked", shape(one.json), shape(shown), one)
        ids = [entry["id"] for entry in listed.json["data"]]
        require_equal(require, "endpoint-as-asked", ids.count(shown["id"]), 1, listed)
    require_equal(require, "reads-are-free", credits_of(rivya, require), before, created)


@pytest.mark.rank(2)
@pytest.mark.holds(
    RULE + "endpoint-can-be-changed", RULE + "rotation-makes-a-new-secret",
    RULE + "deleted-is-revoked", "rivya.WebhookUpdate*", "rivya.updateWebhook.200",
    "rivya.deleteWebhook.200", "rivya.rotateWebhookSecret.200", RULE + "preview-fits-secret",
)  # fmt: skip
def test_an_endpoint_can_be_changed_rotated_and_deleted(rivya: Caller, require: Require) -> None:
    with endpoint(rivya) as created:
        made, path = created.json, f"/webhooks/{created.json['id']}"
        changes: dict[str, Any] = {
            "name": "Other farm",
            "url": "https://hooks.example.com/other",
            "event_types": ["generation.failed"],
            "status": "disabled",
        }
        for name, value in changes.items():
            answer = rivya.request("PATCH", path, json={name: value})
            require_equal(require, "endpoint-can-be-changed", answer.json.get(name), value, answer)
            promise_id = f"rivya.WebhookUpdate.{name}"
            require(promise_id, answer.json.get(name) == value, expected=value, got=name, by=answer)
        off = rivya.get(path)
        got = {name: off.json[name] for name in changes}
        require_equal(require, "endpoint-can-be-changed", got, changes, off)
        require_equal(
            require, "endpoint-can-be-changed", off.json["disabled_at"] is None, False, off
        )
        on = rivya.request("PATCH", path, json={"status": "active"})
        require_equal(require, "endpoint-can-be-changed", on.json["status"], "active", on)
        for name, body in (
            ("url", {"url": "ftp://x/"}), ("event_types", {"event_types": []}),
            ("status", {"status": "revoked"}), ("name", {"name": 5}),
        ):  # fmt: skip
            code = "webhook_url_rejected" if name == "url" else "validation_failed"
            answer = rivya.request("PATCH", path, json=body)
            require_refusal(require, "rivya", answer, code, f"rivya.WebhookUpdate.{name}")
        rotated = rivya.request("POST", f"{path}/rotate-secret")
        secret = require_success(require, RULE + "rotation-makes-a-new-secret", rotated)
        new = (secret["id"], secret["signing_secret"] != made["signing_secret"])
        require_equal(require, "rotation-makes-a-new-secret", new, (made["id"], True), rotated)
        ends = secret["secret_preview"].rpartition("...")[2]
        fits = secret["signing_secret"].endswith(ends)
        require_equal(require, "preview-fits-secret", fits, True, rotated)
        gone = rivya.request("DELETE", path)
        shown = require_success(require, RULE + "deleted-is-revoked", gone)
        require_equal(require, "deleted-is-revoked", shown["status"], "revoked", gone)
        require_equal(require, "deleted-is-revoked", shown["revoked_at"] is None, False, gone)
        listed = rivya.get("/webhooks")
        left = [entry["id"] for entry in listed.json["data"]]
        require_equal(require, "deleted-is-revoked", made["id"] in left, False, listed)
        late = rivya.request("PATCH", path, json={"status": "active"})
        require_refusal(require, "rivya", late, "not_found", RULE + "deleted-is-revoked")


@pytest.mark.rank(2)
@pytest.mark.holds(RULE + "newest-first", "rivya.WebhookEndpointList*")
def test_endpoints_are_listed_newest_first(rivya: Caller, require: Require) -> None:
    with endpoint(rivya) as first, endpoint(rivya) as second:
        listed = rivya.get("/webhooks")
        ids = [entry["id"] for entry in listed.json["data"]]
        mine = [each for each in ids if each in {first.json["id"], second.json["id"]}]
        expected = [second.json["id"], first.json["id"]]
        require_equal(require, "newest-first", mine, expected, listed)


def require_rejected(require: Require, caller: Caller, urls: Iterable[str], rule: str) -> None:
    """Require that no endpoint can be created with any of these URLs."""
    for url in urls:
        with endpoint(caller, url) as created:
            require_refusal(require, "rivya", created, "webhook_url_rejected", RULE + rule)


@pytest.mark.rank(1)
@pytest.mark.holds(RULE + "urls-must-be-public", "rivya.error.webhook_url_rejected")
def test_addresses_that_are_not_public_are_rejected(rivya: Caller, require: Require) -> None:
    require_rejected(require, rivya, _NOT_PUBLIC_URLS, "urls-must-be-public")


@pytest.mark.rank(3)
@pytest.mark.needs("variant strict")
@pytest.mark.holds(RULE + "loopback-is-refused")
def test_this_machine_is_no_address_under_the_vendor_s_rules(run: Run, require: Require) -> None:
    caller = run.variant("strict").caller("rivya")
    require_rejected(require, caller, _LOOPBACK_URLS, "loopback-is-refused")


@pytest.mark.rank(2)
@pytest.mark.needs("second")
@pytest.mark.holds(RULE + "foreign-endpoint-as-unknown", "rivya.error.not_found")
def test_another_account_cannot_touch_an_endpoint(rivya: Caller, require: Require) -> None:
    other_account = rivya.target.caller("rivya", "second")
    rule = "foreign-endpoint-as-unknown"
    with endpoint(rivya) as created:
        path = f"/webhooks/{created.json['id']}"
        requests: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", path, {}), ("PATCH", path, {"json": {"name": "mine"}}), ("DELETE", path, {}),
            ("POST", f"{path}/rotate-secret", {}), ("POST", f"{path}/test", {}),
            ("GET", f"{path}/deliveries", {}),
        ]  # fmt: skip
        for method, request_path, how in requests:
            answer = other_account.request(method, request_path, **how)
            require_refusal(require, "rivya", answer, "not_found", RULE + rule)
        listed = other_account.get("/webhooks")
        seen = [entry["id"] for entry in listed.json["data"]]
        require_equal(require, rule, created.json["id"] in seen, False, listed)
        still = rivya.get(path)
        got = (still.json["name"], still.json["status"])
        require_equal(require, rule, got, ("Render farm", "active"), still)


# --- events -----------------------------------------------------------------------------------


def require_event(
    require: Require, request: ReceivedRequest, *, secret: str, event_type: str, by: Exchange
) -> Any:
    """Require a signed event of this type that is valid for the contract; the event."""
    require_valid(require, RULE + "event-after-the-end", request, "WebhookEvent", by)
    event = request.json
    for name in ("id", "type", "api_version", "created_at", "data"):
        require(f"rivya.WebhookEvent.{name}", name in event, expected=name, got=sorted(event))
    require_equal(require, "event-type-fits", event["type"], event_type, by)
    got = (request.method, request.headers.get("content-type", "").partition(";")[0])
    require_equal(require, "event-after-the-end", got, ("POST", "application/json"), by)
    for name, value in (("Event-Id", event["id"]), ("Event-Type", event["type"])):
        header = request.headers.get(f"rivya-{name.lower()}")
        promise_id = f"rivya.parameter.Rivya{name.replace('-', '')}"
        require(promise_id, header == value, expected=value, got=header, by=by)
    delivery_id = request.headers.get("rivya-delivery-id")
    promise_id = "rivya.parameter.RivyaDeliveryId"
    require(promise_id, delivery_id, expected="an id", got=delivery_id, by=by)
    require_signed(require, request, secret, by)
    return event


def require_signed(require: Require, request: ReceivedRequest, secret: str, by: Exchange) -> None:
    """Require a signature over the body and the time it names, made with the whole secret."""
    header = request.headers.get("rivya-signature", "")
    match = _SIGNATURE.fullmatch(header)
    signed = ""
    if match:
        signed = hmac.new(
            secret.encode(), match[1].encode() + b"." + request.body, hashlib.sha256
        ).hexdigest()
    for promise_id in (RULE + "events-are-signed", "rivya.parameter.RivyaSignature"):
        is_right = match is not None and hmac.compare_digest(match[2], signed)
        require(
            promise_id, is_right, expected="t=SECONDS,v1=HMAC-SHA256", got=header or "none", by=by
        )


_EVENT_PROMISES = (
    RULE + "event-after-the-end", RULE + "event-holds-the-generation", RULE + "event-type-fits",
    RULE + "events-are-signed", "rivya.WebhookEvent*", "rivya.parameter.Rivya*",
    RULE + "deliveries-are-recorded", "rivya.WebhookDelivery*", "rivya.listWebhookDeliveries.200",
    "rivya.listWebhookEvents.200", "rivya.WebhookEventList*",
)  # fmt: skip


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("receiver")
@pytest.mark.holds(*_EVENT_PROMISES)
def test_the_end_of_a_generation_is_told_to_whoever_wants_it(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    inbox, other, clock = receiver.inbox(), receiver.inbox(), rivya.target.clock
    only_failures = {"event_types": ["generation.failed"]}
    with endpoint(rivya, inbox.url) as mine, endpoint(rivya, other.url, **only_failures):
        task_id = create(rivya).json["id"]
        received = inbox.wait(1, clock, text=task_id)
        shown = read(rivya, task_id)
        require_equal(require, "event-after-the-end", len(received), 1, shown)
        secret = mine.json["signing_secret"]
        event_type = f"generation.{shown.json['status']}"
        event = require_event(require, received[0], secret=secret, event_type=event_type, by=shown)
        require_equal(
            require, "event-holds-the-generation", known(event["data"]), known(shown.json), shown
        )
        clock.advance(LATER_S if clock.is_controlled else 1)
        require_equal(require, "event-after-the-end", len(inbox.with_text(task_id)), 1, shown)
        require_equal(require, "event-type-fits", len(other.with_text(task_id)), 0, shown)
        require_recorded(require, rivya, mine.json["id"], event["id"], ["succeeded"])
        events = rivya.get("/webhook-events")
        newest = next((each for each in events.json["data"] if each["id"] == event["id"]), None)
        require_equal(
            require, "deliveries-are-recorded", known(newest, "WebhookEvent"),
            known(event, "WebhookEvent"), events,
        )  # fmt: skip
        seen = rivya.get(f"/webhooks/{mine.json['id']}")
        require_equal(
            require, "deliveries-are-recorded", seen.json["last_success_at"] is None, False, seen
        )


def require_recorded(
    require: Require, caller: Caller, endpoint_id: str, event_id: str, statuses: list[str]
) -> None:
    """Require that the endpoint lists these attempts at the event, newest first."""
    answer = caller.get(f"/webhooks/{endpoint_id}/deliveries")
    attempts = [each for each in answer.json["data"] if each["event_id"] == event_id]
    require_equal(
        require, "deliveries-are-recorded", [each["status"] for each in attempts], statuses, answer
    )
    numbers = [each["attempt"] for each in attempts]
    expected = list(range(len(statuses), 0, -1))
    require_equal(require, "deliveries-are-recorded", numbers, expected, answer)


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("receiver", "clock")
@pytest.mark.holds(
    RULE + "failed-delivery-is-retried", RULE + "redirects-not-followed",
    RULE + "deliveries-are-recorded", RULE + "events-are-signed", RULE + "newest-first",
)  # fmt: skip
def test_an_event_that_was_not_taken_is_sent_again(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    redirect_target = receiver.inbox()
    inbox = receiver.inbox(500, (302, {"location": redirect_target.url}), 204)
    rivya.target.clock.advance(
        LATER_S
    )  # generations of other checks end before this endpoint is created
    with endpoint(rivya, inbox.url) as mine:
        task_id = create(rivya).json["id"]
        rivya.target.clock.advance(LATER_S)
        shown, received = read(rivya, task_id), inbox.with_text(task_id)
        require_equal(require, "failed-delivery-is-retried", len(received), 3, shown)
        require_equal(require, "redirects-not-followed", len(redirect_target.requests), 0, shown)
        same = {request.body for request in received}
        require_equal(require, "failed-delivery-is-retried", len(same), 1, shown)
        for request in received:
            require_signed(require, request, mine.json["signing_secret"], shown)
        times = [request.headers["rivya-signature"].partition(",")[0] for request in received]
        require_equal(require, "events-are-signed", len(set(times)), 3, shown)
        statuses = ["succeeded", "failed", "failed"]
        require_recorded(require, rivya, mine.json["id"], received[0].json["id"], statuses)
        seen = rivya.get(f"/webhooks/{mine.json['id']}")
        promise_id = "rivya.WebhookEndpoint.failure_count"
        count = seen.json["failure_count"]
        require(promise_id, count == 0, expected="0 after a success", got=count, by=seen)


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("variant failing", "receiver")
@pytest.mark.holds(RULE + "event-type-fits", RULE + "event-holds-the-generation")
def test_a_failure_is_told_as_one(run: Run, receiver: Receiver, require: Require) -> None:
    caller, inbox = run.variant("failing").caller("rivya"), receiver.inbox()
    with endpoint(caller, inbox.url) as mine:
        task_id = create(caller).json["id"]
        received = inbox.wait(1, caller.target.clock, text=task_id)
        shown = read(caller, task_id)
        require_equal(require, "event-after-the-end", len(received), 1, shown)
        secret = mine.json["signing_secret"]
        event_type = "generation.failed"
        event = require_event(require, received[0], secret=secret, event_type=event_type, by=shown)
        require_equal(
            require, "event-holds-the-generation", known(event["data"]), known(shown.json), shown
        )


@pytest.mark.rank(3)
@pytest.mark.needs("receiver")
@pytest.mark.holds(
    RULE + "test-event", "rivya.testWebhook.200", RULE + "reads-are-free", "rivya.WebhookEvent.test"
)
def test_a_test_event_goes_to_one_endpoint_and_costs_nothing(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    inbox, other = receiver.inbox(), receiver.inbox()
    before = credits_of(rivya, require)
    with endpoint(rivya, inbox.url) as mine, endpoint(rivya, other.url):
        tested = rivya.request("POST", f"/webhooks/{mine.json['id']}/test")
        require_success(require, RULE + "test-event", tested)
        received = inbox.wait(1, rivya.target.clock)
        event_id = tested.json["event_id"]
        received = [request for request in received if request.json["id"] == event_id]
        require_equal(
            require,
            "test-event",
            (len(received), len(other.with_text(event_id))),
            (1, 0),
            tested,
        )
        marked = received[0].json.get("test")
        require_equal(require, "test-event", marked, True, tested)
        require("rivya.WebhookEvent.test", marked is True, expected=True, got=marked, by=tested)
        require_signed(require, received[0], mine.json["signing_secret"], tested)
        unknown = read(rivya, received[0].json["data"]["id"])
        require_refusal(require, "rivya", unknown, "not_found", RULE + "test-event")
    require_equal(require, "reads-are-free", credits_of(rivya, require), before, tested)


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("receiver", "clock")
@pytest.mark.holds(RULE + "deleted-is-revoked", RULE + "endpoint-can-be-changed")
def test_an_endpoint_that_is_off_or_gone_is_told_nothing(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    off, gone = receiver.inbox(), receiver.inbox()
    with endpoint(rivya, off.url) as disabled, endpoint(rivya, gone.url) as deleted:
        path = f"/webhooks/{disabled.json['id']}"
        rivya.request("PATCH", path, json={"status": "disabled"})
        rivya.request("DELETE", f"/webhooks/{deleted.json['id']}")
        by = create(rivya)
        rivya.target.clock.advance(LATER_S)
        task_id = by.json["id"]
        require_equal(require, "endpoint-can-be-changed", len(off.with_text(task_id)), 0, by)
        require_equal(require, "deleted-is-revoked", len(gone.with_text(task_id)), 0, by)
