"""Deliveries of Rivya's events: receivers, signatures and attempts."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from mock_server.control import Control
from tests import calls
from tests.apis.rivya.webhook_client import (
    CLOCK,
    DELIVERIES,
    ENDED_AT,
    ENDED_S,
    FAILED,
    FAULTS,
    SCHEDULE_S,
    SUCCEEDED,
    Rivya,
    bodies,
    came,
    rivya,
    signed_at,
    standard,
    switch_off,
)
from tests.live import WAIT_S, live
from tests.mock import START_MS, TOKEN, VIDEO, Mock
from tests.receiver import Received, Receiver, receiver
from tests.rivya import account

# --- who is told what ------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "event_type"), [(0, SUCCEEDED), (1, FAILED)])
def test_an_event_holds_the_generation_exactly_as_the_status_endpoint_shows_it(
    rate: int, event_type: str
) -> None:
    with rivya(tasks__failure_rate=rate) as api, receiver() as hook:
        api.register(hook.url)
        task_id = api.finish()
        (event,) = bodies(hook)
        assert event == {
            "id": event["id"],
            "type": event_type,
            "api_version": "2026-05-11",
            "created_at": ENDED_AT,
            "data": api.call("GET", f"/generations/{task_id}"),
        }
    assert event["id"].startswith("evt_")


def test_nothing_is_sent_before_the_generation_has_ended() -> None:
    with rivya() as api, receiver() as hook:
        api.register(hook.url)
        api.create()
        api.advance(0.999)
        assert came(hook) == []


@pytest.mark.parametrize(("rate", "other"), [(0, FAILED), (1, SUCCEEDED)])
def test_an_endpoint_gets_only_events_that_it_subscribed_to(rate: int, other: str) -> None:
    with rivya(tasks__failure_rate=rate) as api, receiver() as hook:
        endpoint = api.register(hook.url, other)
        api.finish()
        assert came(hook) == []
        assert api.deliveries(endpoint) == []


def test_two_endpoints_get_the_same_event() -> None:
    with rivya() as api, receiver() as one, receiver() as other:
        api.register(one.url)
        api.register(other.url, SUCCEEDED)
        api.finish()
        assert bodies(one) == bodies(other) == api.events()


def test_each_endpoint_has_deliveries_of_its_own() -> None:
    with rivya() as api, receiver() as one, receiver(500) as other:
        endpoints = api.register(one.url), api.register(other.url)
        api.finish()
        (first,), (second,) = map(api.deliveries, endpoints)
    assert first["id"] != second["id"]
    assert (first["status"], second["status"]) == ("succeeded", "failed")


def test_a_new_endpoint_gets_no_earlier_events() -> None:
    with rivya() as api, receiver() as hook:
        api.finish()
        api.register(hook.url)
        api.advance(60)
        assert came(hook) == []


def test_an_endpoint_gets_the_event_of_a_generation_that_began_before_it() -> None:
    with rivya() as api, receiver() as hook:
        task_id = api.create()
        api.register(hook.url)
        api.advance(1)
        assert [event["data"]["id"] for event in bodies(hook)] == [task_id]


def test_an_endpoint_gets_no_event_of_another_account() -> None:
    with rivya(accounts=[account("a", a={}), account("b", b={})]) as api, receiver() as hook:
        api.register(hook.url, key="rvya_sk_b")
        api.finish(key="rvya_sk_a")
        assert came(hook) == []
        assert api.events(key="rvya_sk_b") == []


def take_back(api: Rivya, endpoint: Any) -> None:
    api.call("DELETE", f"/webhooks/{endpoint['id']}")


@pytest.mark.parametrize("stop", [switch_off, take_back])
def test_a_disabled_endpoint_gets_nothing(stop: Callable[[Rivya, Any], None]) -> None:
    with rivya() as api, receiver() as hook:
        stop(api, api.register(hook.url))
        api.finish()
        assert came(hook) == []


@pytest.mark.parametrize("stop", [switch_off, take_back])
def test_an_endpoint_disabled_between_attempts_gets_no_further_attempt(
    stop: Callable[[Rivya, Any], None],
) -> None:
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        stop(api, endpoint)
        api.advance(sum(SCHEDULE_S))
        assert len(came(hook)) == 1
        (record,) = api.deliveries(endpoint)
    assert (record["status"], record["next_attempt_at"]) == ("failed", None)


def test_an_endpoint_enabled_again_gets_later_events() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        switch_off(api, endpoint)
        api.finish()
        api.call("PATCH", f"/webhooks/{endpoint['id']}", {"status": "active"})
        task_id = api.finish()
        assert [event["data"]["id"] for event in bodies(hook)] == [task_id]


# --- signatures ------------------------------------------------------------------------------


def test_an_event_is_signed_with_the_whole_secret_over_the_bytes_that_arrive() -> None:
    with rivya() as api, receiver() as hook:
        secret = api.register(hook.url)["signing_secret"]
        api.finish()
        (received,) = came(hook)
    assert signed_at(received, secret) == ENDED_S


def test_each_attempt_is_signed_at_its_own_time() -> None:
    with rivya() as api, receiver(500, 500, 200) as hook:
        secret = api.register(hook.url)["signing_secret"]
        api.finish()
        api.advance(150)
        times_s = [signed_at(received, secret) - ENDED_S for received in came(hook)]
    assert times_s == [0, 30, 150]


def test_each_attempt_tells_the_same_event_and_says_which_delivery_it_is() -> None:
    with rivya() as api, receiver(500, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        first, second = came(hook)
        records = api.deliveries(endpoint)
    assert first.body == second.body
    assert first.headers["rivya-event-id"] == second.headers["rivya-event-id"]
    assert [each.headers["rivya-delivery-id"] for each in (second, first)] == [
        record["id"] for record in records
    ]


def test_the_headers_beside_the_signature_say_what_it_is() -> None:
    with rivya() as api, receiver() as hook:
        api.register(hook.url)
        api.finish()
        (received,) = came(hook)
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"] == "Rivya-Webhooks/fake"
    assert received.headers["rivya-event-type"] == SUCCEEDED
    assert received.headers["rivya-event-id"] == json.loads(received.body)["id"]


def test_after_a_rotation_the_new_secret_signs_attempts_that_were_due_before_as_well() -> None:
    with rivya() as api, receiver(500, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        rotated = api.call("POST", f"/webhooks/{endpoint['id']}/rotate-secret")
        api.advance(30)
        first, second = came(hook)
    assert signed_at(first, endpoint["signing_secret"]) == ENDED_S
    assert signed_at(second, rotated["signing_secret"]) == ENDED_S + 30


def test_two_endpoints_are_signed_to_with_secrets_of_their_own() -> None:
    with rivya() as api, receiver() as one, receiver() as other:
        secrets = [api.register(hook.url)["signing_secret"] for hook in (one, other)]
        api.finish()
        for hook, secret in zip((one, other), secrets, strict=True):
            (received,) = came(hook)
            assert signed_at(received, secret) == ENDED_S


def test_the_header_of_the_signature_is_a_setting() -> None:
    with rivya(rivya__signature_header="X-Signed") as api, receiver() as hook:
        secret = api.register(hook.url)["signing_secret"]
        api.finish()
        (received,) = came(hook)
    assert signed_at(received, secret, "x-signed") == ENDED_S
    assert "rivya-signature" not in received.headers


def test_signatures_can_be_those_of_standard_webhooks() -> None:
    with rivya(**standard()) as api, receiver() as hook:
        secret = api.register(hook.url)["signing_secret"]
        api.create()
        received = hook.received.get(timeout=WAIT_S)
    event = Webhook(secret).verify(received.body, received.headers)
    assert event["id"] == received.headers["webhook-id"]
    assert "rivya-signature" not in received.headers


# --- whose clock dates a signature ------------------------------------------------------------


def _is_taken_by_a_library(secret: str, received: Received) -> bool:
    try:
        Webhook(secret).verify(received.body, received.headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.parametrize("way", ["settings", "clock"])
@pytest.mark.parametrize("by", ["world", "machine"])
def test_a_library_accepts_a_signature_of_real_time_and_the_delivery_notes_others(
    by: str, way: str
) -> None:
    changes: dict[str, Any] = {"clock__signatures": by} if way == "settings" else {}
    with (
        rivya(rivya__webhook_signature="standard", **changes) as api,
        receiver() as hook,
    ):
        if way == "clock":
            httpx2.patch(f"{api.mock.url}{CLOCK}", json={"signatures": by})
        assert httpx2.get(f"{api.mock.url}{CLOCK}").json()["signatures"] == by
        secret = api.register(hook.url)["signing_secret"]
        inbox = f"{api.mock.url}/_mock/inbox/default/a"
        api.register(inbox)
        api.finish()
        (received,) = came(hook)
        notes = [each["attempts"][0]["note"] for each in api.door()]
        seen = httpx2.get(f"{api.mock.url}/_mock/worlds/default/inbox/a").json()
    (verdict,) = [each["signature"] for each in seen["requests"]]
    assert _is_taken_by_a_library(secret, received) is (by == "machine")
    assert verdict["valid"] is True  # the signature itself is right either way
    for told in (*notes, verdict["reason"]):
        assert ("dated by the world's clock" in (told or "")) is (by == "world")


def test_a_signature_by_a_correct_clock_has_no_note() -> None:
    changes: dict[str, Any] = {"clock.mode": "real", "clock.start": datetime.now(UTC).isoformat()}
    with rivya(tasks__queued_s=0, tasks__processing_s=0, **changes) as api, receiver() as hook:
        api.register(hook.url)
        api.create()
        hook.received.get(timeout=WAIT_S)
        assert [each["attempts"][0]["note"] for each in api.door()] == [None]


def test_a_fault_shifts_the_time_of_a_signature_from_the_machines() -> None:
    with rivya(clock__signatures="machine") as api, receiver() as hook:
        secret = api.register(hook.url)["signing_secret"]
        rule = {"effect": {"type": "delivery", "signed_s": -3600}}
        assert httpx2.post(f"{api.mock.url}{FAULTS}", json=rule).status_code == 201
        api.finish()
        (received,) = came(hook)
    off_s = signed_at(received, secret) - datetime.now(UTC).timestamp()
    assert -3700 < off_s < -3500


def test_a_callback_has_no_time_in_its_signature_and_so_no_note() -> None:
    with live(acedata__sign_callbacks=True) as mock, receiver() as hook:
        headers = {"authorization": f"Bearer {TOKEN}"}
        body = VIDEO | {"callback_url": hook.url, "callback_secret": "abc"}
        httpx2.post(f"{mock.url}/hailuo/videos", json=body, headers=headers)
        mock.advance(1)
        (delivery,) = httpx2.get(f"{mock.url}{DELIVERIES}").json()["deliveries"]
    assert "x-callback-signature" in came(hook)[0].headers
    assert delivery["attempts"][0]["note"] is None


def test_each_world_has_its_clock_for_signatures_and_keeps_it_on_reset() -> None:
    with live(clock__signatures="machine") as mock, Control(mock.url) as control:
        as_the_server = control.world("one")
        as_itself = control.world("two", signatures="world")
        assert as_the_server.clock.get().signatures == "machine"
        assert as_itself.clock.get().signatures == "world"
        as_itself.clock.date_signatures("machine")
        as_the_server.restore(as_itself.snapshot())
        as_itself.reset()
        assert as_the_server.clock.get().signatures == "machine"
        assert as_itself.clock.get().signatures == "world"


# --- what an endpoint and its deliveries say -------------------------------------------------


def after_two_failures() -> tuple[Any, list[Any]]:
    """An endpoint, and its deliveries, after two failed attempts."""
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        return api.endpoint(endpoint), api.deliveries(endpoint)


def test_an_endpoint_counts_failed_attempts_in_a_row() -> None:
    endpoint, _ = after_two_failures()
    assert endpoint["failure_count"] == 2
    assert endpoint["last_failure_at"] == "2026-05-11T00:00:31.000Z"
    assert endpoint["last_success_at"] is None


def test_a_success_ends_the_count_of_failures() -> None:
    with rivya() as api, receiver(500, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        endpoint = api.endpoint(endpoint)
    assert endpoint["failure_count"] == 0
    assert endpoint["last_failure_at"] == ENDED_AT
    assert endpoint["last_success_at"] == "2026-05-11T00:00:31.000Z"


def test_an_endpoint_stays_active_after_every_failure() -> None:
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(10 * sum(SCHEDULE_S))
        endpoint = api.endpoint(endpoint)
    assert (endpoint["status"], endpoint["failure_count"]) == ("active", len(SCHEDULE_S))


def test_a_delivery_says_what_was_sent_where_and_what_came_of_it() -> None:
    with rivya() as api, receiver(202) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,), (event,) = api.deliveries(endpoint), bodies(hook)
    assert record.pop("id").startswith("whdel_")
    assert record == {
        "object": "webhook_delivery",
        "endpoint_id": endpoint["id"],
        "event_id": event["id"],
        "event_type": SUCCEEDED,
        "attempt": 1,
        "status": "succeeded",
        "response_status": 202,
        "error": None,
        "next_attempt_at": None,
        "created_at": ENDED_AT,
        "completed_at": ENDED_AT,
    }


def test_each_attempt_is_a_record_newest_first() -> None:
    with rivya() as api, receiver(500, 503, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(150)
        records = api.deliveries(endpoint)
    assert [
        (record["attempt"], record["status"], record["response_status"]) for record in records
    ] == [(3, "succeeded", 200), (2, "failed", 503), (1, "failed", 500)]
    assert len({record["id"] for record in records}) == 3
    assert len({record["event_id"] for record in records}) == 1


def test_only_the_last_attempt_says_when_the_next_one_comes() -> None:
    _, records = after_two_failures()
    nexts = [record["next_attempt_at"] for record in records]
    assert nexts == ["2026-05-11T00:02:31.000Z", None]


def test_an_attempt_without_an_answer_says_why() -> None:
    with rivya() as api:
        endpoint = api.register("https://client.example/hook")
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert (record["status"], record["response_status"]) == ("failed", None)
    assert "callback_hosts" in record["error"]


# --- where it may go, judged again at each attempt ----------------------------------------------


def strictly_sent(found_then: list[str]) -> Any:
    """An attempt at a webhook whose name led to a public address when its endpoint was made, and
    leads to these addresses when it is sent."""
    mock = Mock(webhook_urls="strict", callback_hosts=["*"])
    mock.addresses["hooks.example"] = ["93.184.216.34"]
    try:
        body = {"url": "https://hooks.example/hook", "event_types": [SUCCEEDED]}
        assert mock.rivya("POST", "/webhooks", body).status == 200
        mock.addresses["hooks.example"] = found_then
        mock.create()
        calls.advance(mock, 1)
        (delivery,) = mock.request("GET", DELIVERIES).json()["deliveries"]
        return delivery["attempts"][0]
    finally:
        mock.close()


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fe80::1%lo"]
)
def test_the_strict_rule_calls_no_name_whose_address_has_changed(address: str) -> None:
    for found in ([address], ["93.184.216.34", address]):
        attempt = strictly_sent(found)
        assert attempt["error"].startswith("not sent: 'hooks.example' leads to ")
        assert (attempt["answer"], attempt["request"]) == (None, None)


def test_the_strict_rule_calls_no_name_without_an_address() -> None:
    assert strictly_sent([])["error"] == "not sent: 'hooks.example' has no address"


def test_the_strict_rule_calls_no_endpoint_that_it_would_refuse() -> None:
    with rivya() as api, receiver() as hook:
        api.register(hook.url)
        snapshot = httpx2.get(f"{api.mock.url}/_mock/worlds/default/snapshot").json()
    with rivya(webhook_urls="strict") as api, receiver() as hook:
        put = httpx2.put(f"{api.mock.url}/_mock/worlds/default/snapshot", json=snapshot)
        assert put.status_code == 200
        api.finish()
        (delivery,) = api.door()
    assert delivery["attempts"][0]["error"].startswith("not sent: a webhook url begins with https")


def test_a_name_below_localhost_is_local_without_a_lookup() -> None:
    with rivya() as api, receiver() as hook:
        port = urlsplit(hook.url).port
        for host in ("hook.localhost", "127.1", "0x7f000001", "[::ffff:7f00:1]"):
            endpoint = api.register(f"http://{host}:{port}/hook")
            api.finish()
            assert hook.received.get(timeout=WAIT_S).headers["host"] == f"{host}:{port}"
            api.call("DELETE", f"/webhooks/{endpoint['id']}")


def test_a_late_attempt_is_listed_before_an_earlier_one_of_a_newer_event() -> None:
    with rivya() as api, receiver(500, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.finish()
        api.advance(30)
        made = [record["created_at"] for record in api.deliveries(endpoint)]
    assert len(made) == 3
    assert made == sorted(made, reverse=True)


def test_events_are_listed_newest_first_as_they_were_sent() -> None:
    with rivya() as api, receiver() as hook:
        api.register(hook.url)
        for _ in range(3):
            api.finish()
        assert api.events() == bodies(hook)[::-1]


def test_an_event_sent_several_times_is_listed_once() -> None:
    with rivya() as api, receiver(500) as one, receiver() as other:
        api.register(one.url)
        api.register(other.url)
        api.finish()
        api.advance(sum(SCHEDULE_S))
        assert len(api.events()) == 1


# --- the test event --------------------------------------------------------------------------


def send_test(api: Rivya, endpoint: Any) -> Any:
    return api.call("POST", f"/webhooks/{endpoint['id']}/test")


def after_test(api: Rivya, hook: Receiver) -> Any:
    """A new endpoint that has been sent a test event."""
    endpoint = api.register(hook.url)
    send_test(api, endpoint)
    api.advance(0)
    return endpoint


def test_a_test_event_is_marked_and_otherwise_looks_like_any_other() -> None:
    with rivya() as api, receiver() as hook:
        after_test(api, hook)
        (event,) = bodies(hook)
        api.finish()
        (real,) = bodies(hook)
    assert event["test"] is True
    assert event["type"] == SUCCEEDED
    assert event["id"].startswith("evt_")
    assert event["id"] != real["id"]
    assert event.keys() - {"test"} == real.keys()
    assert event["data"].keys() == real["data"].keys()
    assert event["data"]["status"] == real["data"]["status"]
    assert event["data"]["result"].keys() == real["data"]["result"].keys()


def test_a_test_event_is_signed_like_any_other() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = after_test(api, hook)
        (received,) = came(hook)
    assert signed_at(received, endpoint["signing_secret"]) == START_MS // 1000


def test_a_test_event_goes_to_this_endpoint_only() -> None:
    with rivya() as api, receiver() as hook, receiver() as other:
        endpoint = api.register(hook.url)
        api.register(other.url)
        send_test(api, endpoint)
        api.advance(0)
        assert len(came(hook)) == 1
        assert came(other) == []


def test_a_test_event_goes_to_an_endpoint_that_subscribed_to_failures_alone() -> None:
    with rivya() as api, receiver() as hook:
        send_test(api, api.register(hook.url, FAILED))
        api.advance(0)
        assert len(came(hook)) == 1


def test_a_test_touches_no_task_and_no_credits() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        before = api.call("GET", "/credits")
        send_test(api, endpoint)
        api.advance(0)
        assert api.call("GET", "/credits") == before
        assert len(api.mock.fake.world().tasks) == 0


def test_the_answer_to_a_test_is_its_delivery_still_pending() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        record = send_test(api, endpoint)
        api.advance(0)
        (listed,) = api.deliveries(endpoint)
    assert (record["status"], record["attempt"]) == ("pending", 1)
    assert (record["response_status"], record["completed_at"]) == (None, None)
    assert (listed["id"], listed["event_id"]) == (record["id"], record["event_id"])
    assert listed["status"] == "succeeded"


def test_a_test_that_fails_is_not_tried_again() -> None:
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        send_test(api, endpoint)
        api.advance(sum(SCHEDULE_S))
        assert len(came(hook)) == 1


@pytest.mark.parametrize("stop", [switch_off, take_back])
def test_a_test_of_an_endpoint_that_is_off_is_not_sent_and_says_why(
    stop: Callable[[Rivya, Any], None],
) -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        stop(api, endpoint)
        send_test(api, endpoint)
        api.advance(0)
        assert came(hook) == []
        (record,) = api.deliveries(endpoint)
        (delivery,) = api.door()
        status = api.endpoint(endpoint)["status"]
    reason = f"not sent: the endpoint is {status}"
    assert (record["status"], record["error"]) == ("failed", reason)
    assert (delivery["state"], delivery["given_up"]) == ("failed", reason)
    assert delivery["attempts"] == []


# --- the overlap of a rotation ---------------------------------------------------------------


def rotate(api: Rivya, endpoint: Any) -> str:
    answer = api.call("POST", f"/webhooks/{endpoint['id']}/rotate-secret")
    secret: str = answer["signing_secret"]
    return secret


def signatures(received: Received) -> list[str]:
    return received.headers["rivya-signature"].split(",")[1:]


def test_a_rotated_secret_signs_nothing_by_default() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        new = rotate(api, endpoint)
        api.finish()
        (received,) = came(hook)
    assert signed_at(received, new) == ENDED_S


def test_both_secrets_sign_in_the_overlap_and_the_newer_one_is_first() -> None:
    with rivya(rivya__rotation_overlap_s=10) as api, receiver() as hook:
        endpoint = api.register(hook.url)
        secrets = [rotate(api, endpoint), endpoint["signing_secret"]]
        api.finish()
        api.advance(8)
        api.finish()
        first, second = came(hook)
    signed = b"%d." % ENDED_S + first.body
    expected = [hmac.new(key.encode(), signed, "sha256").hexdigest() for key in secrets]
    assert signatures(first) == [f"v1={digest}" for digest in expected]
    assert signed_at(second, secrets[0]) == ENDED_S + 9


def test_standard_webhooks_has_both_signatures_in_the_overlap() -> None:
    with rivya(**standard(), rivya__rotation_overlap_s=600) as api, receiver() as hook:
        endpoint = api.register(hook.url)
        secrets = [rotate(api, endpoint), endpoint["signing_secret"]]
        api.create()
        received = hook.received.get(timeout=WAIT_S)
    for secret in secrets:
        assert Webhook(secret).verify(received.body, received.headers)
    assert len(received.headers["webhook-signature"].split(" ")) == 2
