"""Webhook endpoints, and the events they are sent, received by the suite itself."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from contract_tests.contract import contract
from contract_tests.exchange import Exchange
from contract_tests.receiver import Posted, Receiver
from contract_tests.refusals import require_refusal, require_success
from contract_tests.rivya.generations import CHEAP, create, credits_of, look
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

RULE = "rivya.rule."
BOTH = ["generation.succeeded", "generation.failed"]
PUBLIC_URL = "https://hooks.example.com/rivya"
LATER_S = 24 * 3600
_SIGNATURE = re.compile(r"t=([0-9]+),v1=([0-9a-f]{64})")
_FORBIDDEN = (
    "https://user:pass@hooks.example.com/", "https://user@hooks.example.com/",
    "https://hooks.example.com/#fragment", "https://10.0.0.1/hook", "https://192.168.1.1/",
    "https://172.16.5.4/", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/",
    "https://[fe80::1]/", "https://[fd00::1]/", "https://printer.local/", "https://db.internal/",
    "https://224.0.0.1/", "ftp://hooks.example.com/", "http://hooks.example.com/",
)  # fmt: skip
_LOCAL = (
    "https://localhost/", "https://127.0.0.1/", "http://127.0.0.1:80/", "https://a.localhost/",
    "https://[::1]/", "https://127.1.2.3/", "https://[::ffff:127.0.0.1]/",
)  # fmt: skip


@contextmanager
def endpoint(asker: Caller, url: str = PUBLIC_URL, **fields: Any) -> Iterator[Exchange]:
    """A new endpoint, taken back afterwards."""
    body = {"name": "Render farm", "url": url, "event_types": BOTH} | fields
    created = asker.post("/webhooks", body)
    try:
        yield created
    finally:
        if created.status < 300:
            asker.ask("DELETE", f"/webhooks/{created.json['id']}")


def agree(require: Require, rule: str, got: object, expected: object, by: Exchange) -> None:
    """Two things must be equal."""
    require(RULE + rule, got == expected, expected=expected, got=got, by=by)


@pytest.mark.rank(2)
@pytest.mark.full
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
        agree(require, "endpoint-as-asked", got, expected, created)
        secret = shown.get("signing_secret", "")
        agree(require, "secret-shown-once", bool(secret), True, created)
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
        without = {name: value for name, value in shown.items() if name != "signing_secret"}
        agree(require, "endpoint-as-asked", one.json, without, one)
        ids = [entry["id"] for entry in listed.json["data"]]
        agree(require, "endpoint-as-asked", ids.count(shown["id"]), 1, listed)
    agree(require, "reads-are-free", credits_of(rivya, require), before, created)


@pytest.mark.rank(2)
@pytest.mark.full
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
            answer = rivya.ask("PATCH", path, json={name: value})
            agree(require, "endpoint-can-be-changed", answer.json.get(name), value, answer)
            row = f"rivya.WebhookUpdate.{name}"
            require(row, answer.json.get(name) == value, expected=value, got=name, by=answer)
        off = rivya.get(path)
        got = {name: off.json[name] for name in changes}
        agree(require, "endpoint-can-be-changed", got, changes, off)
        agree(require, "endpoint-can-be-changed", off.json["disabled_at"] is None, False, off)
        on = rivya.ask("PATCH", path, json={"status": "active"})
        agree(require, "endpoint-can-be-changed", on.json["status"], "active", on)
        for row, body in (
            ("url", {"url": "ftp://x/"}), ("event_types", {"event_types": []}),
            ("status", {"status": "revoked"}), ("name", {"name": 5}),
        ):  # fmt: skip
            code = "webhook_url_rejected" if row == "url" else "validation_failed"
            answer = rivya.ask("PATCH", path, json=body)
            require_refusal(require, "rivya", answer, code, f"rivya.WebhookUpdate.{row}")
        rotated = rivya.ask("POST", f"{path}/rotate-secret")
        secret = require_success(require, RULE + "rotation-makes-a-new-secret", rotated)
        new = (secret["id"], secret["signing_secret"] != made["signing_secret"])
        agree(require, "rotation-makes-a-new-secret", new, (made["id"], True), rotated)
        ends = secret["secret_preview"].rpartition("...")[2]
        fits = secret["signing_secret"].endswith(ends)
        agree(require, "preview-fits-secret", fits, True, rotated)
        gone = rivya.ask("DELETE", path)
        shown = require_success(require, RULE + "deleted-is-revoked", gone)
        agree(require, "deleted-is-revoked", shown["status"], "revoked", gone)
        agree(require, "deleted-is-revoked", shown["revoked_at"] is None, False, gone)
        listed = rivya.get("/webhooks")
        left = [entry["id"] for entry in listed.json["data"]]
        agree(require, "deleted-is-revoked", made["id"] in left, False, listed)
        late = rivya.ask("PATCH", path, json={"status": "active"})
        require_refusal(require, "rivya", late, "not_found", RULE + "deleted-is-revoked")


@pytest.mark.rank(2)
@pytest.mark.full
@pytest.mark.holds(RULE + "newest-first", "rivya.WebhookEndpointList*")
def test_endpoints_are_listed_newest_first(rivya: Caller, require: Require) -> None:
    with endpoint(rivya) as first, endpoint(rivya) as second:
        listed = rivya.get("/webhooks")
        ids = [entry["id"] for entry in listed.json["data"]]
        mine = [each for each in ids if each in {first.json["id"], second.json["id"]}]
        expected = [second.json["id"], first.json["id"]]
        agree(require, "newest-first", mine, expected, listed)


@pytest.mark.rank(1)
@pytest.mark.full
@pytest.mark.holds(RULE + "urls-must-be-public", "rivya.error.webhook_url_rejected")
def test_addresses_that_are_not_public_are_rejected(rivya: Caller, require: Require) -> None:
    for url in _FORBIDDEN:
        with endpoint(rivya, url) as created:
            rule = RULE + "urls-must-be-public"
            require_refusal(require, "rivya", created, "webhook_url_rejected", rule)


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.needs("variant strict")
@pytest.mark.holds(RULE + "loopback-is-refused")
def test_this_machine_is_no_address_under_the_vendor_s_rules(run: Run, require: Require) -> None:
    asker = run.variant("strict").caller("rivya")
    for url in _LOCAL:
        with endpoint(asker, url) as created:
            rule = RULE + "loopback-is-refused"
            require_refusal(require, "rivya", created, "webhook_url_rejected", rule)


@pytest.mark.rank(2)
@pytest.mark.full
@pytest.mark.needs("second")
@pytest.mark.holds(RULE + "foreign-endpoint-as-unknown", "rivya.error.not_found")
def test_another_account_cannot_touch_an_endpoint(rivya: Caller, require: Require) -> None:
    stranger = rivya.target.caller("rivya", "second")
    rule = "foreign-endpoint-as-unknown"
    with endpoint(rivya) as created:
        path = f"/webhooks/{created.json['id']}"
        asks: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", path, {}), ("PATCH", path, {"json": {"name": "mine"}}), ("DELETE", path, {}),
            ("POST", f"{path}/rotate-secret", {}), ("POST", f"{path}/test", {}),
            ("GET", f"{path}/deliveries", {}),
        ]  # fmt: skip
        for method, there, how in asks:
            answer = stranger.ask(method, there, **how)
            require_refusal(require, "rivya", answer, "not_found", RULE + rule)
        listed = stranger.get("/webhooks")
        seen = [entry["id"] for entry in listed.json["data"]]
        agree(require, rule, created.json["id"] in seen, False, listed)
        still = rivya.get(path)
        got = (still.json["name"], still.json["status"])
        agree(require, rule, got, ("Render farm", "active"), still)


# --- events -----------------------------------------------------------------------------------


def require_event(
    require: Require, posted: Posted, *, secret: str, wanted: str, by: Exchange
) -> Any:
    """A delivery must be a signed event of the contract's form; the event."""
    schema = {"$ref": "#/components/schemas/WebhookEvent"}
    errors = [error.message for error in contract().validator(schema).iter_errors(posted.json)]
    got = errors or posted.body[:200]
    require(RULE + "event-after-the-end", not errors, expected="a WebhookEvent", got=got, by=by)
    event = posted.json
    for name in ("id", "type", "api_version", "created_at", "data"):
        require(f"rivya.WebhookEvent.{name}", name in event, expected=name, got=sorted(event))
    agree(require, "event-type-fits", event["type"], wanted, by)
    kind = (posted.method, posted.headers.get("content-type", "").partition(";")[0])
    agree(require, "event-after-the-end", kind, ("POST", "application/json"), by)
    for name, value in (("Event-Id", event["id"]), ("Event-Type", event["type"])):
        header = posted.headers.get(f"rivya-{name.lower()}")
        row = f"rivya.parameter.Rivya{name.replace('-', '')}"
        require(row, header == value, expected=value, got=header, by=by)
    delivered = posted.headers.get("rivya-delivery-id")
    require("rivya.parameter.RivyaDeliveryId", delivered, expected="an id", got=delivered, by=by)
    require_signed(require, posted, secret, by)
    return event


def require_signed(require: Require, posted: Posted, secret: str, by: Exchange) -> None:
    """The signature must be that of this body at the time it names, with the whole secret."""
    header = posted.headers.get("rivya-signature", "")
    match = _SIGNATURE.fullmatch(header)
    signed = ""
    if match:
        signed = hmac.new(
            secret.encode(), match[1].encode() + b"." + posted.body, hashlib.sha256
        ).hexdigest()
    for row in (RULE + "events-are-signed", "rivya.parameter.RivyaSignature"):
        is_right = match is not None and hmac.compare_digest(match[2], signed)
        require(row, is_right, expected="t=SECONDS,v1=HMAC-SHA256", got=header or "none", by=by)


_EVENT_ROWS = (
    RULE + "event-after-the-end", RULE + "event-holds-the-generation", RULE + "event-type-fits",
    RULE + "events-are-signed", "rivya.WebhookEvent*", "rivya.parameter.Rivya*",
    RULE + "deliveries-are-recorded", "rivya.WebhookDelivery*", "rivya.listWebhookDeliveries.200",
    "rivya.listWebhookEvents.200", "rivya.WebhookEventList*",
)  # fmt: skip


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.needs("receiver")
@pytest.mark.holds(*_EVENT_ROWS)
def test_the_end_of_a_generation_is_told_to_whoever_wants_it(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    wanting, other, there = receiver.box(), receiver.box(), rivya.target.time
    only_failures = {"event_types": ["generation.failed"]}
    with endpoint(rivya, wanting.url) as mine, endpoint(rivya, other.url, **only_failures):
        task_id = create(rivya).json["id"]
        came = wanting.wait(1, there, about=task_id)
        shown = look(rivya, task_id)
        agree(require, "event-after-the-end", len(came), 1, shown)
        secret = mine.json["signing_secret"]
        wanted = f"generation.{shown.json['status']}"
        event = require_event(require, came[0], secret=secret, wanted=wanted, by=shown)
        agree(require, "event-holds-the-generation", event["data"], shown.json, shown)
        there.pass_s(LATER_S if there.is_fast else 1)
        agree(require, "event-after-the-end", len(wanting.about(task_id)), 1, shown)
        agree(require, "event-type-fits", len(other.about(task_id)), 0, shown)
        require_recorded(require, rivya, mine.json["id"], event["id"], ["succeeded"])
        told = rivya.get("/webhook-events")
        newest = next((each for each in told.json["data"] if each["id"] == event["id"]), None)
        agree(require, "deliveries-are-recorded", newest, event, told)
        seen = rivya.get(f"/webhooks/{mine.json['id']}")
        agree(require, "deliveries-are-recorded", seen.json["last_success_at"] is None, False, seen)


def require_recorded(
    require: Require, asker: Caller, endpoint_id: str, event_id: str, statuses: list[str]
) -> None:
    """The endpoint's deliveries must show these attempts at the event, newest first."""
    answer = asker.get(f"/webhooks/{endpoint_id}/deliveries")
    attempts = [row for row in answer.json["data"] if row["event_id"] == event_id]
    agree(require, "deliveries-are-recorded", [row["status"] for row in attempts], statuses, answer)
    numbers = [row["attempt"] for row in attempts]
    expected = list(range(len(statuses), 0, -1))
    agree(require, "deliveries-are-recorded", numbers, expected, answer)


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.needs("receiver", "clock")
@pytest.mark.holds(
    RULE + "failed-delivery-is-retried", RULE + "redirects-not-followed",
    RULE + "deliveries-are-recorded", RULE + "events-are-signed", RULE + "newest-first",
)  # fmt: skip
def test_an_event_that_was_not_taken_is_sent_again(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    elsewhere = receiver.box()
    box = receiver.box(500, (302, {"location": elsewhere.url}), 204)
    rivya.target.time.pass_s(LATER_S)  # what other checks have begun ends without this endpoint
    with endpoint(rivya, box.url) as mine:
        task_id = create(rivya).json["id"]
        rivya.target.time.pass_s(LATER_S)
        shown, came = look(rivya, task_id), box.about(task_id)
        agree(require, "failed-delivery-is-retried", len(came), 3, shown)
        agree(require, "redirects-not-followed", len(elsewhere.posted), 0, shown)
        same = {posted.body for posted in came}
        agree(require, "failed-delivery-is-retried", len(same), 1, shown)
        for posted in came:
            require_signed(require, posted, mine.json["signing_secret"], shown)
        times = [posted.headers["rivya-signature"].partition(",")[0] for posted in came]
        agree(require, "events-are-signed", len(set(times)), 3, shown)
        statuses = ["succeeded", "failed", "failed"]
        require_recorded(require, rivya, mine.json["id"], came[0].json["id"], statuses)
        seen = rivya.get(f"/webhooks/{mine.json['id']}")
        row = "rivya.WebhookEndpoint.failure_count"
        count = seen.json["failure_count"]
        require(row, count == 0, expected="0 after a success", got=count, by=seen)


@pytest.mark.rank(3)
@pytest.mark.needs("variant failing", "receiver")
@pytest.mark.full
@pytest.mark.holds(RULE + "event-type-fits", RULE + "event-holds-the-generation")
def test_a_failure_is_told_as_one(run: Run, receiver: Receiver, require: Require) -> None:
    asker, box = run.variant("failing").caller("rivya"), receiver.box()
    with endpoint(asker, box.url) as mine:
        task_id = create(asker).json["id"]
        came = box.wait(1, asker.target.time, about=task_id)
        shown = look(asker, task_id)
        agree(require, "event-after-the-end", len(came), 1, shown)
        secret = mine.json["signing_secret"]
        wanted = "generation.failed"
        event = require_event(require, came[0], secret=secret, wanted=wanted, by=shown)
        agree(require, "event-holds-the-generation", event["data"], shown.json, shown)


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.needs("receiver")
@pytest.mark.holds(
    RULE + "test-event", "rivya.testWebhook.200", RULE + "reads-are-free", "rivya.WebhookEvent.test"
)
def test_a_test_event_goes_to_one_endpoint_and_costs_nothing(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    box, other = receiver.box(), receiver.box()
    before = credits_of(rivya, require)
    with endpoint(rivya, box.url) as mine, endpoint(rivya, other.url):
        asked = rivya.ask("POST", f"/webhooks/{mine.json['id']}/test")
        require_success(require, RULE + "test-event", asked)
        came = box.wait(1, rivya.target.time)
        event_id = asked.json["event_id"]
        came = [posted for posted in came if posted.json["id"] == event_id]
        agree(require, "test-event", (len(came), len(other.about(event_id))), (1, 0), asked)
        marked = came[0].json.get("test")
        agree(require, "test-event", marked, True, asked)
        require("rivya.WebhookEvent.test", marked is True, expected=True, got=marked, by=asked)
        require_signed(require, came[0], mine.json["signing_secret"], asked)
        unknown = look(rivya, came[0].json["data"]["id"])
        require_refusal(require, "rivya", unknown, "not_found", RULE + "test-event")
    agree(require, "reads-are-free", credits_of(rivya, require), before, asked)


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.needs("receiver", "clock")
@pytest.mark.holds(RULE + "deleted-is-revoked", RULE + "endpoint-can-be-changed")
def test_an_endpoint_that_is_off_or_gone_is_told_nothing(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    off, gone = receiver.box(), receiver.box()
    with endpoint(rivya, off.url) as disabled, endpoint(rivya, gone.url) as deleted:
        path = f"/webhooks/{disabled.json['id']}"
        rivya.ask("PATCH", path, json={"status": "disabled"})
        rivya.ask("DELETE", f"/webhooks/{deleted.json['id']}")
        by = create(rivya)
        rivya.target.time.pass_s(LATER_S)
        task_id = by.json["id"]
        agree(require, "endpoint-can-be-changed", len(off.about(task_id)), 0, by)
        agree(require, "deleted-is-revoked", len(gone.about(task_id)), 0, by)
