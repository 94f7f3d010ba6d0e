"""Checks of events beside the examples: several endpoints, changed ones, each failure."""

from __future__ import annotations

from datetime import datetime

import pytest

from contract_tests.receiver import Inbox, ReceivedRequest, Receiver
from contract_tests.requirements import require_success
from contract_tests.rivya.generations import create, read, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE, known, require_equal
from contract_tests.rivya.test_webhooks import (
    BOTH,
    LATER_S,
    endpoint,
    require_event,
    require_signed,
)
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = [pytest.mark.rank(3), pytest.mark.full]

_TOLERANCE_S = 300
_ATTEMPTS = 6


def _end(caller: Caller, inbox: Inbox, model: str = CHEAP) -> tuple[str, list[ReceivedRequest]]:
    """The id of a generation that has ended, and the events about it in an inbox."""
    task_id = create(caller, request_body(model)).json["id"]
    inbox.wait(1, caller.target.clock, text=task_id)
    return task_id, inbox.with_text(task_id)


@pytest.mark.price(CHEAP, count=2)
@pytest.mark.price(DEAR)
@pytest.mark.needs("receiver", "second", "clock")
@pytest.mark.holds(
    RULE + "event-after-the-end", RULE + "event-holds-the-generation", RULE + "events-are-signed",
    RULE + "belongs-to-the-account", RULE + "deliveries-are-recorded", RULE + "newest-first",
)  # fmt: skip
def test_each_end_is_told_to_each_endpoint_of_its_account_only(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    inboxes, foreign = [receiver.inbox(), receiver.inbox()], receiver.inbox()
    rivya.target.clock.advance(LATER_S)
    second = rivya.target.caller("rivya", "second")
    urls = [f"{inbox.url}?tenant=a%20b&x=%C3%A9" for inbox in inboxes]
    with (
        endpoint(rivya, urls[0]) as one, endpoint(rivya, urls[1]) as two,
        endpoint(second, foreign.url),
    ):  # fmt: skip
        event_ids: list[str] = []
        for model in (CHEAP, DEAR, CHEAP):
            task_id, _ = _end(rivya, inboxes[0], model)
            shown = read(rivya, task_id)
            inboxes[1].wait(1, rivya.target.clock, text=task_id)
            for inbox, made, url in zip(inboxes, (one, two), urls, strict=True):
                received = inbox.with_text(task_id)
                require_equal(require, "event-after-the-end", len(received), 1, shown)
                secret, event_type = (
                    made.json["signing_secret"],
                    f"generation.{shown.json['status']}",
                )
                event = require_event(
                    require, received[0], secret=secret, event_type=event_type, by=shown
                )
                got = known(event["data"])
                require_equal(require, "event-holds-the-generation", got, known(shown.json), shown)
                _require_recent(require, received[0], event["created_at"])
                path = received[0].path.rpartition("/")[2]
                expected = url.rpartition("/")[2]
                require_equal(require, "event-after-the-end", path, expected, made)
            new = event["id"] not in event_ids
            require_equal(require, "event-after-the-end", new, True, shown)
            event_ids.insert(0, event["id"])
        require_equal(
            require, "belongs-to-the-account", len(foreign.requests), 0,
            rivya.target.transport.last,
        )  # fmt: skip
        for made in (one, two):
            listed = rivya.get(f"/webhooks/{made.json['id']}/deliveries")
            deliveries = listed.json["data"]
            got = [entry["event_id"] for entry in deliveries]
            require_equal(require, "deliveries-are-recorded", got, event_ids, listed)
            owners = {entry["endpoint_id"] for entry in deliveries}
            require_equal(require, "deliveries-are-recorded", owners, {made.json["id"]}, listed)
        events = rivya.get("/webhook-events")
        ids = [entry["id"] for entry in events.json["data"]]
        require_equal(
            require, "newest-first", [e for e in ids if e in event_ids], event_ids, events
        )


def _require_recent(require: Require, request: ReceivedRequest, created_at: str) -> None:
    """Require that a first attempt is signed with the time of its event, in seconds."""
    stamp = request.headers["rivya-signature"].partition(",")[0].removeprefix("t=")
    created_s = datetime.fromisoformat(created_at).timestamp()
    is_near = abs(int(stamp) - created_s) <= _TOLERANCE_S
    require(
        RULE + "events-are-signed", is_near, expected=f"t={created_s:.0f} or a little later",
        got=f"t={stamp}",
    )  # fmt: skip


@pytest.mark.price(CHEAP, count=4)
@pytest.mark.needs("receiver", "clock")
@pytest.mark.holds(
    RULE + "rotation-makes-a-new-secret", RULE + "endpoint-can-be-changed",
    RULE + "events-are-signed", RULE + "event-type-fits",
)  # fmt: skip
def test_a_changed_endpoint_gets_its_later_events_as_it_says(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    old, new, clock = receiver.inbox(), receiver.inbox(), rivya.target.clock
    with endpoint(rivya, old.url) as made:
        path = f"/webhooks/{made.json['id']}"
        rotated = rivya.request("POST", f"{path}/rotate-secret")
        secret = rotated.json["signing_secret"]
        _, received = _end(rivya, old)
        require_equal(require, "rotation-makes-a-new-secret", len(received), 1, rotated)
        require_signed(require, received[0], secret, rotated)
        changes = ({"status": "disabled"}, {"status": "active"}, {"url": new.url})
        for fields in changes:
            changed = rivya.request("PATCH", path, json=fields)
        task_id, received = _end(rivya, new)
        counts = (len(received), len(old.with_text(task_id)))
        require_equal(require, "endpoint-can-be-changed", counts, (1, 0), changed)
        require_signed(require, received[0], secret, changed)
        for types in (BOTH[1:], BOTH[:1]):
            rivya.request("PATCH", path, json={"event_types": types})
            by = create(rivya)
            clock.advance(LATER_S)
            ended = read(rivya, by.json["id"]).json["status"]
            count = int(f"generation.{ended}" in types)
            got = len(new.with_text(by.json["id"]))
            require_equal(require, "event-type-fits", got, count, by)


@pytest.mark.price(DEAR)
@pytest.mark.price(CHEAP)
@pytest.mark.needs("variant failing", "receiver")
@pytest.mark.holds(
    RULE + "failed-delivery-is-retried", RULE + "deliveries-are-recorded",
    "rivya.WebhookEndpoint.failure_count", "rivya.WebhookEndpoint.last_failure_at",
)  # fmt: skip
def test_a_receiver_that_never_takes_an_event_gets_six_attempts(
    run: Run, receiver: Receiver, require: Require
) -> None:
    caller = run.variant("failing").caller("rivya")
    if not caller.target.clock.is_controlled:
        pytest.skip("needs a clock that can be advanced")
    inbox, good = receiver.inbox(500), receiver.inbox()
    with endpoint(caller, inbox.url) as made, endpoint(caller, good.url):
        ids = [create(caller, request_body(model)).json["id"] for model in (DEAR, CHEAP)]
        caller.target.clock.advance(2 * LATER_S)
        path = f"/webhooks/{made.json['id']}"
        listed = caller.get(f"{path}/deliveries")
        for task_id in ids:
            received, shown = inbox.with_text(task_id), read(caller, task_id)
            rule = "failed-delivery-is-retried"
            require_equal(require, rule, len(received), _ATTEMPTS, shown)
            bodies = {request.body for request in received}
            require_equal(require, rule, len(bodies), 1, shown)
            got = known(received[0].json["data"])
            require_equal(require, "event-holds-the-generation", got, known(shown.json), shown)
            require_equal(require, "event-after-the-end", len(good.with_text(task_id)), 1, shown)
            event_id = received[0].json["id"]
            rows = [row for row in listed.json["data"] if row["event_id"] == event_id]
            got_rows = [(r["attempt"], r["status"], r["response_status"]) for r in rows]
            expected = [(number, "failed", 500) for number in range(_ATTEMPTS, 0, -1)]
            require_equal(require, "deliveries-are-recorded", got_rows, expected, listed)
        seen = require_success(require, RULE + "deliveries-are-recorded", caller.get(path))
        by, count = caller.target.transport.last, seen["failure_count"]
        promise_id = "rivya.WebhookEndpoint.failure_count"
        expected_count = _ATTEMPTS * len(ids)
        require(promise_id, count == expected_count, expected=expected_count, got=count, by=by)
        promise_id = "rivya.WebhookEndpoint.last_failure_at"
        times = (seen["last_failure_at"], seen["last_success_at"])
        is_right = times[0] is not None and times[1] is None
        require(promise_id, is_right, expected="a time, and no success", got=times, by=by)


@pytest.mark.needs("receiver")
@pytest.mark.holds(RULE + "test-event", RULE + "events-are-signed")
def test_each_test_event_is_another_one(
    rivya: Caller, receiver: Receiver, require: Require
) -> None:
    inbox, event_ids = receiver.inbox(), set()
    with endpoint(rivya, inbox.url) as made:
        for _ in range(3):
            tested = rivya.request("POST", f"/webhooks/{made.json['id']}/test")
            event_id = require_success(require, RULE + "test-event", tested)["event_id"]
            received = inbox.wait(1, rivya.target.clock, text=event_id)
            got = (len(received), event_id in event_ids)
            require_equal(require, "test-event", got, (1, False), tested)
            require_signed(require, received[0], made.json["signing_secret"], tested)
            event_ids.add(event_id)
