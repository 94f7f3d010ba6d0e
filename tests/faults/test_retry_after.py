"""Retry-After of faults: in seconds, as a date by the caller's clock, or any text."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.core.effects import AnswerFault, ErrorFault
from mock_server.core.faults import FaultRule
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from tests import calls
from tests.asgi import Driver
from tests.mock import MakeMock, Mock, settings_of

UNAVAILABLE = {"type": "answer", "status": 503}
LIMITED = {"type": "error", "code": "rate_limited"}
EFFECTS = [UNAVAILABLE, LIMITED]
DAY_S = 86400


def retry_after(mock: Mock, effect: dict[str, Any]) -> str | None:
    """The header of an answer with this fault."""
    calls.add_faults(mock, effect=effect, times=1)
    return calls.send(mock, calls.create("rivya")).headers.get("retry-after")


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_header_is_what_the_fault_says(mock: Mock, effect: dict[str, Any]) -> None:
    assert retry_after(mock, effect) is None
    assert retry_after(mock, effect | {"retry_after_s": 0}) == "0"
    assert retry_after(mock, effect | {"retry_after_s": DAY_S}) == "86400"
    assert retry_after(mock, effect | {"retry_after": "in a while"}) == "in a while"
    as_date = {"retry_after_s": DAY_S, "retry_after_as": "date"}
    assert retry_after(mock, effect | as_date) == "Tue, 12 May 2026 00:00:00 GMT"


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_date_is_of_the_machine_whatever_the_clock_of_the_world(
    make_mock: MakeMock, effect: dict[str, Any]
) -> None:
    as_date = effect | {"retry_after_s": 2, "retry_after_as": "date"}
    for changes in (
        {"clock__start": "2031-01-01T00:00:00Z"},
        {"clock__mode": "real", "time_scale": 3600},
    ):
        mock = make_mock(**changes)
        mock.advance(DAY_S)
        assert retry_after(mock, as_date) == "Mon, 11 May 2026 00:00:02 GMT"


@settings(max_examples=20)
@given(st.integers(0, 10**12), st.integers(0, 10**9), st.sampled_from(EFFECTS))
def test_a_date_never_allows_an_earlier_request_and_costs_less_than_a_second(
    wall_ms: int, wait_s: int, effect: dict[str, Any]
) -> None:
    driver = Driver(make_app(make_server(settings_of(), lambda: wall_ms)))
    try:
        body = {"effect": effect | {"retry_after_s": wait_s, "retry_after_as": "date"}}
        headers = {"content-type": "application/json"}
        path = "/_mock/worlds/default/faults"
        sent = driver.request("POST", path, headers=headers, body=msgspec.json.encode(body))
        assert sent.status == 201
        answer = driver.request("GET", "/api/v1/models")
    finally:
        driver.close()
    allowed_ms = 1000 * parsedate_to_datetime(answer.headers["retry-after"]).timestamp()
    assert 0 <= allowed_ms - (wall_ms + 1000 * wait_s) < 1000


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"retry_after": "soon", "retry_after_s": 2}, "leave out retry_after_s"),
    ({"retry_after_as": "date"}, "add retry_after_s"),
    ({"retry_after": "soon", "retry_after_as": "date"}, "add retry_after_s"),
]


@pytest.mark.parametrize(("fields", "hint"), IMPOSSIBLE)
@pytest.mark.parametrize("effect", EFFECTS)
def test_a_header_that_is_said_twice_or_not_at_all_is_refused(
    mock: Mock, effect: dict[str, Any], fields: dict[str, Any], hint: str
) -> None:
    refused = calls.on_faults(mock, "POST", body={"effect": effect | fields})
    calls.require_refused(refused, "/effect", hint)


def test_a_header_of_an_answer_cannot_have_two_values(mock: Mock) -> None:
    effect = UNAVAILABLE | {"headers": {"retry-after": "3"}}
    assert retry_after(mock, effect) == "3"
    for more in ({"retry_after_s": 2}, {"retry_after": "soon"}):
        refused = calls.on_faults(mock, "POST", body={"effect": effect | more})
        calls.require_refused(refused, "/effect", "is set twice")


def test_a_rule_of_seconds_is_written_as_before() -> None:
    rules = (
        FaultRule(effect=ErrorFault(code="a", retry_after_s=2)),
        FaultRule(effect=AnswerFault(status=503)),
    )
    assert msgspec.to_builtins(rules) == (
        {"effect": {"type": "error", "code": "a", "retry_after_s": 2}},
        {"effect": {"type": "answer", "status": 503}},
    )
