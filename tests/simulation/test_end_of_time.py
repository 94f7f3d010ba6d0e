"""Time ends with the year 9999: every request until then is answered, and none leads past it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.apis import ALL
from mock_server.config.sources import SettingsError, read_settings
from mock_server.core.clock import LAST_MS, Clock, ms_of
from tests import calls
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO, Mock

WORLDS = "/_mock/worlds"
END = f"{WORLDS}/end"
LAST = "9999-12-31T23:59:59.999Z"
NEAR = ("9999-12-31T23:59:55Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.900Z", LAST)
LATE = {"mock-scenario": "delivery_late"}


def door(mock: Mock, method: str, path: str, body: Any = None) -> Answer:
    headers = {"content-type": "application/json"}
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return mock.request(method, path, headers=headers, body=raw)


def begin(mock: Mock, now: str = LAST) -> None:
    plan = {"name": "end", "clock": {"mode": "frozen", "now": now}}
    assert door(mock, "POST", WORLDS, plan).status == 201


def create(mock: Mock, **headers: str) -> Answer:
    return mock.rivya("POST", "/generations", MINIMAL, key=f"{KEY}-end", headers=headers)


def now_of(mock: Mock) -> str:
    now: str = door(mock, "GET", f"{END}/clock").json()["now"]
    return now


# --- moves --------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", NEAR)
def test_an_advance_past_the_end_is_refused_with_the_remaining_time(mock: Mock, now: str) -> None:
    begin(mock, now)
    before = now_of(mock)
    answer = door(mock, "POST", f"{END}/clock/advance", {"seconds": 10})
    assert answer.status == 400
    assert "/seconds" in answer.json()["title"]
    assert LAST in answer.json()["title"]
    assert now_of(mock) == before


def test_a_world_can_be_advanced_to_the_last_moment(mock: Mock) -> None:
    begin(mock, "9999-12-31T23:59:59Z")
    answer = door(mock, "POST", f"{END}/clock/advance", {"seconds": 0.999})
    assert (answer.status, answer.json()["now"]) == (200, LAST)


def test_long_advances_end_in_a_refusal(mock: Mock) -> None:
    begin(mock, "2026-05-11T00:00:00Z")
    statuses = [
        door(mock, "POST", f"{END}/clock/advance", {"seconds": 1e9}).status for _ in "x" * 256
    ]
    assert set(statuses) == {200, 400}
    assert door(mock, "GET", WORLDS).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"{END}/clock", {"now": "9999-12-31T23:59:59-12:00"}),
        ("POST", WORLDS, {"name": "x", "clock": {"now": "9999-12-31T23:59:59-12:00"}}),
        ("POST", WORLDS, {"name": "x", "clock": {"now": "1969-12-31T23:59:59Z"}}),
        ("POST", WORLDS, {"name": "x", "clock": {"now": "0001-01-01T00:00:00+14:00"}}),
    ],
)
def test_a_moment_out_of_time_is_refused(mock: Mock, method: str, path: str, body: Any) -> None:
    begin(mock)
    answer = door(mock, method, path, body)
    assert answer.status == 400
    assert "1970" in answer.json()["title"]
    assert door(mock, "GET", WORLDS).status == 200


def test_the_last_moment_may_be_spelled_with_microseconds(mock: Mock) -> None:
    begin(mock, "9999-12-31T23:59:59.999999Z")
    assert now_of(mock) == LAST
    assert door(mock, "PATCH", f"{END}/clock", {"now": "9999-12-31T23:59:59.999999Z"}).status == 200


@pytest.mark.parametrize("start", ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00"])
def test_a_server_does_not_start_out_of_time(start: str) -> None:
    with pytest.raises(SettingsError, match=r"clock\.start: must be a moment from 1970"):
        read_settings(flags={"clock.start": start}, environment={}, file=None, apis=ALL)


@pytest.mark.parametrize(
    ("expires_at", "shown"),
    [
        ("9999-12-31T23:59:59-12:00", LAST),
        ("0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00.000Z"),
        ("2030-01-01T00:00:00.123Z", "2030-01-01T00:00:00.123Z"),
    ],
)
def test_a_key_may_expire_at_any_moment(mock: Mock, expires_at: str, shown: str) -> None:
    key = {"key": "rvya_sk_old", "api": "rivya", "expires_at": expires_at}
    path = f"{WORLDS}/default/accounts/rivya-test"
    keys = door(mock, "PATCH", path, {"keys": [key]}).json()["keys"]
    assert keys[-1]["expires_at"] == shown
    snapshot = door(mock, "GET", f"{WORLDS}/default/snapshot").body
    assert door(mock, "PUT", f"{WORLDS}/default/snapshot", snapshot).status == 200


# --- at the end ---------------------------------------------------------------------------------


@pytest.mark.parametrize("now", NEAR)
def test_a_create_near_the_end_is_charged_and_answered_and_ends_with_time(
    mock: Mock, now: str
) -> None:
    begin(mock, now)
    task_id = create(mock).json()["id"]
    assert door(mock, "POST", f"{END}/clock/advance", {"until": "idle"}).status == 200
    shown = mock.rivya("GET", f"/generations/{task_id}", key=f"{KEY}-end").json()
    assert shown["status"] == "succeeded"
    assert door(mock, "GET", WORLDS).status == 200
    assert door(mock, "DELETE", END).status == 200


HELD_AT_THE_END = {"slow": 200, "late_answer": 200, "fails_late": 500, "stuck": 504}


@pytest.mark.parametrize("scenario", HELD_AT_THE_END)
def test_a_held_create_at_the_last_moment_is_answered_at_once(mock: Mock, scenario: str) -> None:
    begin(mock)
    headers = {"authorization": f"Bearer {TOKEN}-end", "content-type": "application/json"}
    headers["mock-scenario"] = scenario
    body = json.dumps(VIDEO).encode()
    caller = calls.OpenRequest(mock, calls.Request("POST", "/hailuo/videos", headers, body))
    caller.wait_for_threads()
    assert caller.answer().status == HELD_AT_THE_END[scenario]


def test_at_the_last_moment_a_key_still_finds_its_task(mock: Mock) -> None:
    begin(mock)
    ids = {create(mock, **{"idempotency-key": "once"}).json()["id"] for _ in range(2)}
    assert len(ids) == 1


def test_a_snapshot_whose_rules_lead_past_the_end_makes_a_world_that_answers(mock: Mock) -> None:
    path = f"{WORLDS}/default/snapshot"
    document = door(mock, "GET", path).json()
    document["clock"]["now_ms"] = LAST_MS - 10
    document["rules"]["queued_ms"] = document["rules"]["processing_ms"] = 10**12
    assert door(mock, "PUT", path, document).status == 200
    assert mock.create().status == 200
    (task,) = door(mock, "GET", f"{WORLDS}/default/tasks").json()["tasks"]
    assert (task["taken_up_at"], task["ends_at"]) == (LAST, LAST)


# --- a clock --------------------------------------------------------------------------------------


def test_a_running_clock_stops_at_the_last_moment() -> None:
    source_ms = [0]
    clock = Clock(lambda: source_ms[0], start_ms=LAST_MS - 10, scale=10**6)
    source_ms[0] = 10**6
    assert clock.now_ms() == LAST_MS
    assert clock.real_wait_s(LAST_MS) == 0


@pytest.mark.parametrize("frozen", [True, False])
def test_a_clock_is_moved_to_the_last_moment_at_most(frozen: bool) -> None:
    clock = Clock(lambda: 0, start_ms=LAST_MS - 10, frozen=frozen)
    clock.advance(11)
    assert clock.now_ms() == LAST_MS


def test_whole_milliseconds_are_exact() -> None:
    for millisecond in range(1000):
        moment = datetime(2026, 5, 11, 0, 0, 0, millisecond * 1000, UTC)
        assert ms_of(moment) % 1000 == millisecond


# --- anything at all near the end ----------------------------------------------------------------

Step = Callable[[Mock], Any]


def _put_back(mock: Mock) -> Answer:
    document = door(mock, "GET", f"{END}/snapshot").body
    return door(mock, "PUT", f"{END}/snapshot", document)


def _redeliver(mock: Mock) -> Answer:
    found = door(mock, "GET", f"{END}/deliveries").json()["deliveries"]
    return door(mock, "POST", f"{END}/deliveries/{found[-1]['id'] if found else 'none'}/redeliver")


def _webhook(mock: Mock) -> Answer:
    hook = {"url": "http://127.0.0.1:9/", "event_types": ["generation.succeeded"]}
    made = mock.rivya("POST", "/webhooks", hook, key=f"{KEY}-end").json()
    return mock.rivya("POST", f"/webhooks/{made['id']}/rotate-secret", key=f"{KEY}-end")


def _acedata(mock: Mock, **headers: str) -> Answer:
    body = VIDEO | {"callback_url": "http://127.0.0.1:9/"}
    return mock.acedata("/videos", body, token=f"{TOKEN}-end", headers=headers)


STEPS: dict[str, Step] = {
    "advance by nothing": lambda m: door(m, "POST", f"{END}/clock/advance", {"seconds": 0}),
    "advance by a millisecond": lambda m: door(
        m, "POST", f"{END}/clock/advance", {"seconds": 0.001}
    ),
    "advance by a second": lambda m: door(m, "POST", f"{END}/clock/advance", {"seconds": 1}),
    "advance by years": lambda m: door(m, "POST", f"{END}/clock/advance", {"seconds": 1e9}),
    "until idle": lambda m: door(m, "POST", f"{END}/clock/advance", {"until": "idle"}),
    "move to the end": lambda m: door(m, "PATCH", f"{END}/clock", {"now": LAST}),
    "create": create,
    "create with a key": lambda m: create(m, **{"idempotency-key": "k"}),
    "create what never ends": lambda m: create(m, **{"mock-scenario": "stuck"}),
    "create with a callback": _acedata,
    "create with a late callback": lambda m: _acedata(m, **LATE),
    "webhook": _webhook,
    "redeliver": _redeliver,
    "upload": lambda m: m.upload(key=f"{KEY}-end"),
    "tasks": lambda m: door(m, "GET", f"{END}/tasks"),
    "journal": lambda m: door(m, "GET", f"{END}/requests"),
    "worlds": lambda m: door(m, "GET", WORLDS),
    "put back": _put_back,
    "reset": lambda m: door(m, "POST", f"{END}/reset"),
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(now=st.sampled_from(NEAR), steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_no_request_near_the_end_breaks_the_server(now: str, steps: list[str]) -> None:
    mock = Mock(rivya__rotation_overlap_s=1e9, acedata__callback_waits_s=[60, 1e9])
    try:
        begin(mock, now)
        for step in steps:
            assert STEPS[step](mock).status < 500, step
            assert calls.is_balanced(mock.fake.world("end"))
        for path in (WORLDS, f"{END}/tasks", f"{END}/deliveries", f"{END}/requests"):
            assert door(mock, "GET", path).status == 200
        assert _put_back(mock).status == 200
        assert door(mock, "DELETE", END).status == 200
    finally:
        mock.close()
