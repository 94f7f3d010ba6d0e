"""Rivya's events on their way: who is told what, signed how, and how often it is tried."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from mock_server.control import Control
from tests.apis.rivya.conftest import account
from tests.asking import advance
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, START_MS, TOKEN, VIDEO, Mock
from tests.receiver import Received, Receiver, receiver

SUCCEEDED, FAILED = "generation.succeeded", "generation.failed"
ENDED_S = START_MS // 1000 + 1
ENDED_AT = "2026-05-11T00:00:01.000Z"
DELIVERIES = "/_mock/worlds/default/deliveries"
CLOCK = "/_mock/worlds/default/clock"
FAULTS = "/_mock/worlds/default/faults"
SCHEDULE_S = [0, 30, 120, 600, 3600, 21600]


class Rivya:
    """A caller of a running fake whose clock is frozen."""

    def __init__(self, mock: Live, client: httpx2.Client) -> None:
        self.mock = mock
        self._client = client

    def call(self, method: str, path: str, body: Any = None, *, key: str = KEY) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        answer = self._client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, url: str, *event_types: str, key: str = KEY) -> Any:
        body = {"url": url, "event_types": list(event_types or [SUCCEEDED, FAILED])}
        return self.call("POST", "/webhooks", body, key=key)

    def create(self, *, key: str = KEY) -> str:
        task_id: str = self.call("POST", "/generations", MINIMAL, key=key)["id"]
        return task_id

    def advance(self, seconds: float) -> None:
        """Move the clock from one due thing to the next; every attempt has ended on return."""
        advancing = self.mock.fake.timekeepers["default"].advance(round(seconds * 1000))
        asyncio.run_coroutine_threadsafe(advancing, self.mock.loop).result(WAIT_S)

    def finish(self, *, key: str = KEY) -> str:
        """A generation that has ended, whoever wanted to know having been told once."""
        task_id = self.create(key=key)
        self.advance(1)
        return task_id

    def endpoint(self, endpoint: Any) -> Any:
        return self.call("GET", f"/webhooks/{endpoint['id']}")

    def deliveries(self, endpoint: Any) -> list[Any]:
        envelope = self.call("GET", f"/webhooks/{endpoint['id']}/deliveries")
        assert envelope["object"] == "list"
        records: list[Any] = envelope["data"]
        return records

    def door(self) -> list[Any]:
        """Every delivery as the control door shows it."""
        shown = httpx2.get(f"{self.mock.url}{DELIVERIES}").json()["deliveries"]
        deliveries: list[Any] = shown
        return deliveries

    def events(self, *, key: str = KEY) -> list[Any]:
        envelope = self.call("GET", "/webhook-events", key=key)
        assert envelope["object"] == "list"
        events: list[Any] = envelope["data"]
        return events


@contextmanager
def rivya(**changes: Any) -> Iterator[Rivya]:
    with live(**changes) as mock, httpx2.Client(base_url=mock.url) as client:
        yield Rivya(mock, client)


def came(hook: Receiver) -> list[Received]:
    """Everything that has arrived so far, oldest first."""
    return [hook.received.get_nowait() for _ in range(hook.received.qsize())]


def bodies(hook: Receiver) -> list[Any]:
    return [json.loads(received.body) for received in came(hook)]


def signed_at(received: Received, secret: str, header: str = "rivya-signature") -> int:
    """The time of a signature, after checking the signature itself."""
    time, signature = received.headers[header].split(",")
    at_s = time.removeprefix("t=")
    expected = hmac.new(secret.encode(), at_s.encode() + b"." + received.body, "sha256")
    assert signature == f"v1={expected.hexdigest()}"
    return int(at_s)


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
def test_an_endpoint_is_told_only_what_it_subscribed_to(rate: int, other: str) -> None:
    with rivya(tasks__failure_rate=rate) as api, receiver() as hook:
        endpoint = api.register(hook.url, other)
        api.finish()
        assert came(hook) == []
        assert api.deliveries(endpoint) == []


def test_two_endpoints_are_told_of_one_and_the_same_event() -> None:
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


def test_a_new_endpoint_is_told_nothing_of_the_past() -> None:
    with rivya() as api, receiver() as hook:
        api.finish()
        api.register(hook.url)
        api.advance(60)
        assert came(hook) == []


def test_an_endpoint_hears_of_a_generation_that_was_under_way_when_it_was_made() -> None:
    with rivya() as api, receiver() as hook:
        task_id = api.create()
        api.register(hook.url)
        api.advance(1)
        assert [event["data"]["id"] for event in bodies(hook)] == [task_id]


def test_nobody_is_told_of_another_accounts_generation() -> None:
    with rivya(accounts=[account("a", a={}), account("b", b={})]) as api, receiver() as hook:
        api.register(hook.url, key="rvya_sk_b")
        api.finish(key="rvya_sk_a")
        assert came(hook) == []
        assert api.events(key="rvya_sk_b") == []


def switch_off(api: Rivya, endpoint: Any) -> None:
    api.call("PATCH", f"/webhooks/{endpoint['id']}", {"status": "disabled"})


def take_back(api: Rivya, endpoint: Any) -> None:
    api.call("DELETE", f"/webhooks/{endpoint['id']}")


@pytest.mark.parametrize("stop", [switch_off, take_back])
def test_an_endpoint_that_is_off_is_told_nothing(stop: Callable[[Rivya, Any], None]) -> None:
    with rivya() as api, receiver() as hook:
        stop(api, api.register(hook.url))
        api.finish()
        assert came(hook) == []


@pytest.mark.parametrize("stop", [switch_off, take_back])
def test_an_endpoint_that_goes_off_between_attempts_is_told_no_more(
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


def test_an_endpoint_that_is_on_again_is_told_what_happens_from_then_on() -> None:
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


def test_the_other_way_of_signing_is_that_of_standard_webhooks() -> None:
    changes: dict[str, Any] = {"clock.mode": "real", "clock.start": datetime.now(UTC).isoformat()}
    with (
        rivya(
            rivya__webhook_signature="standard",
            tasks__queued_s=0.01,
            tasks__processing_s=0.01,
            **changes,
        ) as api,
        receiver() as hook,
    ):
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
def test_a_library_takes_a_signature_dated_by_the_machine_and_the_delivery_says_when_not(
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


def test_a_signature_of_a_clock_that_goes_right_has_no_note() -> None:
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


def test_each_world_dates_its_signatures_in_its_own_way_and_a_reset_goes_back_to_it() -> None:
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


# --- the schedule ----------------------------------------------------------------------------


def test_a_failing_endpoint_is_tried_on_the_schedule_and_then_given_up() -> None:
    with rivya() as api, receiver(500) as hook:
        secret = api.register(hook.url)["signing_secret"]
        api.finish()
        api.advance(10 * sum(SCHEDULE_S))
        times_s = [signed_at(received, secret) for received in came(hook)]
    assert times_s == [ENDED_S + sum(SCHEDULE_S[: n + 1]) for n in range(len(SCHEDULE_S))]


def test_no_attempt_comes_before_its_time() -> None:
    with rivya() as api, receiver(500) as hook:
        api.register(hook.url)
        api.finish()
        api.advance(29.999)
        assert len(came(hook)) == 1
        api.advance(0.001)
        assert len(came(hook)) == 1


def test_an_event_that_was_taken_is_sent_no_more() -> None:
    with rivya() as api, receiver(500, 204) as hook:
        api.register(hook.url)
        api.finish()
        api.advance(sum(SCHEDULE_S))
        assert len(came(hook)) == 2


def test_the_schedule_is_a_setting() -> None:
    with rivya(rivya__webhook_waits_s=[5]) as api, receiver(500) as hook:
        secret = api.register(hook.url)["signing_secret"]
        api.finish()
        api.advance(sum(SCHEDULE_S))
        assert [signed_at(received, secret) - ENDED_S for received in came(hook)] == [0, 5]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with (
        rivya() as api,
        receiver() as elsewhere,
        receiver(status, headers={"location": elsewhere.url}) as hook,
    ):
        endpoint = api.register(hook.url)
        api.finish()
        assert came(elsewhere) == []
        (record,) = api.deliveries(endpoint)
    assert (record["status"], record["response_status"]) == ("failed", status)


# --- what an endpoint and its deliveries say -------------------------------------------------


def test_an_endpoint_counts_failed_attempts_in_a_row() -> None:
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        endpoint = api.endpoint(endpoint)
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


def test_however_often_it_fails_an_endpoint_stays_active() -> None:
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
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        records = api.deliveries(endpoint)
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
        advance(mock, 1)
        (delivery,) = mock.request("GET", DELIVERIES).json()["deliveries"]
        return delivery["attempts"][0]
    finally:
        mock.close()


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "fe80::1%lo"]
)
def test_strictly_a_name_that_came_to_lead_elsewhere_is_not_called(address: str) -> None:
    for found in ([address], ["93.184.216.34", address]):
        attempt = strictly_sent(found)
        assert attempt["error"].startswith("not sent: 'hooks.example' leads to ")
        assert (attempt["answer"], attempt["request"]) == (None, None)


def test_strictly_a_name_that_leads_nowhere_any_more_is_not_called() -> None:
    assert strictly_sent([])["error"] == "not sent: 'hooks.example' has no address"


def test_strictly_an_endpoint_made_when_rules_were_loose_is_not_called() -> None:
    with rivya() as api, receiver() as hook:
        api.register(hook.url)
        snapshot = httpx2.get(f"{api.mock.url}/_mock/worlds/default/snapshot").json()
    with rivya(webhook_urls="strict") as api, receiver() as hook:
        put = httpx2.put(f"{api.mock.url}/_mock/worlds/default/snapshot", json=snapshot)
        assert put.status_code == 200
        api.finish()
        (delivery,) = api.door()
    assert delivery["attempts"][0]["error"].startswith("not sent: a webhook url begins with https")


def test_a_name_below_localhost_is_this_machine_whatever_a_resolver_says() -> None:
    with rivya() as api, receiver() as hook:
        port = urlsplit(hook.url).port
        for host in ("hook.localhost", "127.1", "0x7f000001", "[::ffff:7f00:1]"):
            endpoint = api.register(f"http://{host}:{port}/hook")
            api.finish()
            assert hook.received.get(timeout=WAIT_S).headers["host"] == f"{host}:{port}"
            api.call("DELETE", f"/webhooks/{endpoint['id']}")


def test_a_late_attempt_at_an_old_event_stands_before_an_earlier_one_at_a_new_event() -> None:
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


def test_an_event_is_listed_once_however_often_it_was_sent() -> None:
    with rivya() as api, receiver(500) as one, receiver() as other:
        api.register(one.url)
        api.register(other.url)
        api.finish()
        api.advance(sum(SCHEDULE_S))
        assert len(api.events()) == 1


# --- the test event --------------------------------------------------------------------------


def send_test(api: Rivya, endpoint: Any) -> Any:
    return api.call("POST", f"/webhooks/{endpoint['id']}/test")


def test_a_test_event_is_marked_and_otherwise_looks_like_any_other() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        send_test(api, endpoint)
        api.advance(0)
        (event,) = bodies(hook)
        api.finish()
        (real,) = bodies(hook)
    assert event["test"] is True
    assert event["type"] == SUCCEEDED
    assert event["id"].startswith("evt_")
    assert event["id"] != real["id"]
    assert event.keys() - {"test"} == real.keys()
    assert event["data"].keys() == real["data"].keys()


def test_a_test_event_is_signed_like_any_other() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        send_test(api, endpoint)
        api.advance(0)
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


# --- an endpoint that changes while a retry is pending ---------------------------------------


def move(api: Rivya, endpoint: Any, url: str) -> None:
    api.call("PATCH", f"/webhooks/{endpoint['id']}", {"url": url})


def test_a_retry_goes_to_where_the_endpoint_has_moved() -> None:
    with rivya() as api, receiver(500) as old, receiver() as new:
        endpoint = api.register(old.url)
        api.finish()
        move(api, endpoint, new.url)
        api.advance(30)
        (first,), (second,) = came(old), came(new)
        (delivery,) = api.door()
    assert first.body == second.body
    assert signed_at(second, endpoint["signing_secret"]) == ENDED_S + 30
    assert delivery["url"] == new.url
    assert [each["request"]["url"] for each in delivery["attempts"]] == [old.url, new.url]


def test_an_event_that_is_held_back_goes_to_where_the_endpoint_has_moved() -> None:
    with rivya() as api, receiver() as old, receiver() as new:
        endpoint = api.register(old.url)
        faults = f"{api.mock.url}/_mock/worlds/default/faults"
        httpx2.post(faults, json={"scenario": "delivery_out_of_order", "times": 1})
        api.finish()
        move(api, endpoint, new.url)
        api.finish()
        assert len(came(new)) == 2
        assert came(old) == []


def test_an_endpoint_that_is_off_between_attempts_says_so() -> None:
    with rivya() as api, receiver(500) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        switch_off(api, endpoint)
        api.advance(30)
        (delivery,) = api.door()
        (record,) = api.deliveries(endpoint)
    assert delivery["given_up"] == "not sent: the endpoint is disabled"
    assert len(delivery["attempts"]) == 1
    assert record["response_status"] == 500
    assert record["error"] == "not sent: the endpoint is disabled"


def test_what_was_given_up_can_be_sent_once_the_endpoint_is_on_again() -> None:
    with rivya() as api, receiver(500, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        switch_off(api, endpoint)
        api.advance(30)
        api.call("PATCH", f"/webhooks/{endpoint['id']}", {"status": "active"})
        (delivery,) = api.door()
        httpx2.post(f"{api.mock.url}{DELIVERIES}/{delivery['id']}/redeliver")
        api.advance(0)
        (delivery,) = api.door()
    assert (delivery["state"], delivery["given_up"]) == ("succeeded", None)


# --- what a receiver asks for ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        ("600", "00:10:01"),
        ("10", "00:00:31"),
        ("0", "00:00:31"),
        ("soon", "00:00:31"),
        ("-5", "00:00:31"),
        ("1.5", "00:00:31"),
        ("", "00:00:31"),
    ],
)
def test_a_retry_waits_as_long_as_it_was_asked_to(asked: str, again: str) -> None:
    with rivya() as api, receiver(503, headers={"retry-after": asked}) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["response_status"] == 503
    assert record["next_attempt_at"] == f"2026-05-11T{again}.000Z"


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        ("Mon, 11 May 2026 10:05:00 GMT", "00:05:01"),
        ("Mon, 11 May 2026 12:05:00 +0200", "00:05:01"),
        ("Mon, 11 May 2026 09:00:00 GMT", "00:00:31"),
        ("Mon, 11 May 2026 10:05:00", "00:00:31"),
        ("Mon, 11 May 2026 10:05:00 -0000", "00:00:31"),
        ("Mon, 99 May 2026 10:05:00 GMT", "00:00:31"),
        ("Mon, 11 May 99999999999999999999 10:05:00 GMT", "00:00:31"),
    ],
)
def test_a_retry_waits_until_the_date_it_was_asked_to(
    monkeypatch: pytest.MonkeyPatch, asked: str, again: str
) -> None:
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", told_time)
    with rivya() as api, receiver(503, headers={"retry-after": asked}) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["response_status"] == 503
    assert record["next_attempt_at"] == f"2026-05-11T{again}.000Z"


def told_time(*_: object) -> str:
    return "Mon, 11 May 2026 10:00:00 GMT"


def test_a_receiver_that_took_the_event_may_ask_for_what_it_likes() -> None:
    headers = {"retry-after": "Mon, 11 May 2026 10:05:00"}
    with rivya() as api, receiver(200, headers=headers) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert (record["status"], record["error"]) == ("succeeded", None)


def test_nobody_is_left_alone_for_longer_than_a_month() -> None:
    with rivya() as api, receiver(503, headers={"retry-after": "9" * 30}) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["next_attempt_at"] == "2026-06-10T00:00:01.000Z"


def test_whether_anybody_listens_to_that_is_a_setting() -> None:
    with (
        rivya(deliveries__obey_retry_after=False) as api,
        receiver(503, headers={"retry-after": "600"}) as hook,
    ):
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["next_attempt_at"] == "2026-05-11T00:00:31.000Z"


def test_an_endpoint_that_is_gone_is_tried_again_by_default() -> None:
    with rivya() as api, receiver(410, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        assert len(came(hook)) == 2
        assert api.endpoint(endpoint)["status"] == "active"


def test_an_endpoint_that_is_gone_is_switched_off_if_the_setting_says_so() -> None:
    with rivya(rivya__gone_disables=True) as api, receiver(410, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(sum(SCHEDULE_S))
        api.finish()
        assert len(came(hook)) == 1
        endpoint = api.endpoint(endpoint)
        (delivery,) = api.door()
    assert (endpoint["status"], endpoint["disabled_at"]) == ("disabled", ENDED_AT)
    assert delivery["given_up"] == "not sent: the endpoint is disabled"


# --- the overlap of a rotation ---------------------------------------------------------------


def rotate(api: Rivya, endpoint: Any) -> str:
    answer = api.call("POST", f"/webhooks/{endpoint['id']}/rotate-secret")
    secret: str = answer["signing_secret"]
    return secret


def signatures(received: Received) -> list[str]:
    return received.headers["rivya-signature"].split(",")[1:]


def test_a_rotated_secret_signs_nothing_any_more_by_default() -> None:
    with rivya() as api, receiver() as hook:
        endpoint = api.register(hook.url)
        new = rotate(api, endpoint)
        api.finish()
        (received,) = came(hook)
    assert signed_at(received, new) == ENDED_S


def test_in_the_overlap_both_secrets_sign_the_newer_one_first() -> None:
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


def test_standard_webhooks_has_both_signatures_in_the_overlap_too() -> None:
    changes: dict[str, Any] = {"clock.mode": "real", "clock.start": datetime.now(UTC).isoformat()}
    with (
        rivya(
            rivya__webhook_signature="standard",
            rivya__rotation_overlap_s=600,
            tasks__queued_s=0.01,
            tasks__processing_s=0.01,
            **changes,
        ) as api,
        receiver() as hook,
    ):
        endpoint = api.register(hook.url)
        secrets = [rotate(api, endpoint), endpoint["signing_secret"]]
        api.create()
        received = hook.received.get(timeout=WAIT_S)
    for secret in secrets:
        assert Webhook(secret).verify(received.body, received.headers)
    assert len(received.headers["webhook-signature"].split(" ")) == 2
