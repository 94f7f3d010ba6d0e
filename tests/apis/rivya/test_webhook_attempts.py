"""When attempts at Rivya's deliveries are made, and what ends them."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

import httpx2
import pytest

from tests.apis.rivya.webhook_client import (
    DELIVERIES,
    ENDED_AT,
    ENDED_S,
    SCHEDULE_S,
    Rivya,
    came,
    rivya,
    signed_at,
    switch_off,
)
from tests.receiver import receiver

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


def test_a_delivered_event_is_not_sent_again() -> None:
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


def test_a_failed_delivery_can_be_sent_after_its_endpoint_is_enabled() -> None:
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
    assert next_attempt_after(asked) == f"2026-05-11T{again}.000Z"


def next_attempt_after(asked: str) -> str:
    """When an event is sent again after a 503 with this Retry-After."""
    with rivya() as api, receiver(503, headers={"retry-after": asked}) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["response_status"] == 503
    again: str = record["next_attempt_at"]
    return again


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
    assert next_attempt_after(asked) == f"2026-05-11T{again}.000Z"


def told_time(*_: object) -> str:
    return "Mon, 11 May 2026 10:00:00 GMT"


def test_retry_after_is_ignored_in_a_successful_answer() -> None:
    headers = {"retry-after": "Mon, 11 May 2026 10:05:00"}
    with rivya() as api, receiver(200, headers=headers) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert (record["status"], record["error"]) == ("succeeded", None)


def test_a_retry_waits_a_month_at_most() -> None:
    with rivya() as api, receiver(503, headers={"retry-after": "9" * 30}) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["next_attempt_at"] == "2026-06-10T00:00:01.000Z"


def test_obeying_retry_after_is_a_setting() -> None:
    with (
        rivya(deliveries__obey_retry_after=False) as api,
        receiver(503, headers={"retry-after": "600"}) as hook,
    ):
        endpoint = api.register(hook.url)
        api.finish()
        (record,) = api.deliveries(endpoint)
    assert record["next_attempt_at"] == "2026-05-11T00:00:31.000Z"


def test_an_endpoint_that_answers_410_is_tried_again_by_default() -> None:
    with rivya() as api, receiver(410, 200) as hook:
        endpoint = api.register(hook.url)
        api.finish()
        api.advance(30)
        assert len(came(hook)) == 2
        assert api.endpoint(endpoint)["status"] == "active"


def test_an_endpoint_that_answers_410_is_disabled_if_the_setting_says_so() -> None:
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
