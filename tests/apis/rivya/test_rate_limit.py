"""Rate limits of keys, and the answers beyond them."""

from __future__ import annotations

from typing import Any

import pytest

from tests import rivya
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, MakeMock, Mock


def statuses(mock: Mock, count: int, *, key: str = KEY) -> list[int]:
    """The statuses of so many reads of the credits."""
    return [mock.rivya("GET", "/credits", key=key).status for _ in range(count)]


def after(seconds: float, mock: Mock) -> Answer:
    """The answer to a second request, some time after the first."""
    statuses(mock, 1)
    mock.advance(seconds)
    return mock.rivya("GET", "/credits")


def test_by_default_there_is_no_limit(mock: Mock) -> None:
    assert set(statuses(mock, 300)) == {200}


def test_a_window_takes_as_many_requests_as_the_limit_says(make_mock: MakeMock) -> None:
    assert statuses(make_mock(rivya__rate_limit=3), 5) == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(("after_s", "status"), [(59.999, 429), (60, 200), (3600, 200)])
def test_the_next_window_opens_a_minute_after_the_first_request(
    make_mock: MakeMock, after_s: float, status: int
) -> None:
    assert after(after_s, make_mock(rivya__rate_limit=1)).status == status


def test_a_window_is_fixed_and_does_not_slide(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=2)
    statuses(mock, 1)
    mock.advance(59)
    assert statuses(mock, 2) == [200, 429]
    mock.advance(1)
    assert statuses(mock, 3) == [200, 200, 429]


def test_a_window_opens_with_the_first_request_in_it(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    statuses(mock, 1)
    mock.advance(100)
    statuses(mock, 1)
    mock.advance(59.999)
    assert statuses(mock, 1) == [429]


def test_the_length_of_the_window_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1, rivya__rate_window_s=1.5)
    statuses(mock, 1)
    mock.advance(1.499)
    assert statuses(mock, 1) == [429]
    mock.advance(0.001)
    assert statuses(mock, 1) == [200]


def test_refused_requests_do_not_count(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    statuses(mock, 100)
    mock.advance(60)
    assert statuses(mock, 2) == [200, 429]


@pytest.mark.parametrize(
    ("after_s", "retry_after"),
    [(0, "60"), (0.001, "60"), (1, "59"), (58.5, "2"), (59, "1"), (59.999, "1")],
)
def test_retry_after_says_in_whole_seconds_when_the_next_window_is_open(
    make_mock: MakeMock, after_s: float, retry_after: str
) -> None:
    answer = after(after_s, make_mock(rivya__rate_limit=1))
    rivya.refusal(answer, "rate_limited")
    assert answer.headers["retry-after"] == retry_after


@pytest.mark.parametrize(
    ("mode", "scale", "retry_after"),
    [("real", 1, "60"), ("real", 60, "1"), ("real", 7, "9"), ("real", 0.5, "120"),
     ("frozen", 60, "60")],
)  # fmt: skip
def test_retry_after_counts_the_seconds_of_the_caller(
    make_mock: MakeMock, mode: str, scale: float, retry_after: str
) -> None:
    mock = make_mock(rivya__rate_limit=1, time_scale=scale, clock__mode=mode)
    statuses(mock, 1)
    answer = mock.rivya("GET", "/credits")
    rivya.refusal(answer, "rate_limited")
    assert answer.headers["retry-after"] == retry_after


@pytest.mark.parametrize("after_s", [0, 0.001, 30.25, 59.999])
def test_a_request_after_retry_after_is_accepted(make_mock: MakeMock, after_s: float) -> None:
    mock = make_mock(rivya__rate_limit=1)
    statuses(mock, 1)
    mock.advance(after_s)
    mock.advance(int(mock.rivya("GET", "/credits").headers["retry-after"]))
    assert statuses(mock, 1) == [200]


def test_retry_after_can_be_switched_off(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1, rivya__retry_after=False)
    statuses(mock, 1)
    answer = mock.rivya("GET", "/credits")
    rivya.refusal(answer, "rate_limited")
    assert "retry-after" not in answer.headers


def test_no_other_answer_carries_retry_after(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=5)
    assert "retry-after" not in mock.rivya("GET", "/credits").headers
    assert "retry-after" not in mock.rivya("GET", "/nowhere").headers


# --- whose limit -------------------------------------------------------------------------------


def test_each_key_has_a_window_of_its_own(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1, accounts=[rivya.account("a", test={}, second={})])
    assert statuses(mock, 2) == [200, 429]
    assert statuses(mock, 2, key="rvya_sk_second") == [200, 429]


def test_a_key_may_have_a_limit_of_its_own(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}, slow={"rate_limit": 2})])
    assert statuses(mock, 3, key="rvya_sk_slow") == [200, 200, 429]
    assert set(statuses(mock, 10)) == {200}


def test_a_key_can_be_exempt_from_the_common_limit(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1, accounts=[rivya.account("a", free={"rate_limit": 0})])
    assert set(statuses(mock, 10, key="rvya_sk_free")) == {200}


def test_the_limit_of_one_api_is_not_that_of_the_other(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    body = {"action": "generate", "prompt": "a", "async": True}
    assert {mock.acedata("/videos", body).status for _ in range(5)} == {200}


# --- what counts -------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "_scope"), rivya.OPERATIONS)
def test_every_route_with_a_key_counts(
    make_mock: MakeMock, method: str, path: str, _scope: str
) -> None:
    mock = make_mock(rivya__rate_limit=1)
    mock.rivya(method, path, MINIMAL)
    rivya.refusal(mock.rivya(method, path, MINIMAL), "rate_limited")


def test_all_routes_count_together(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=2)
    mock.create()
    mock.rivya("GET", "/generations/task_x")
    assert statuses(mock, 1) == [429]


@pytest.mark.parametrize(("method", "path"), rivya.PUBLIC_OPERATIONS)
def test_public_routes_neither_count_nor_are_limited(
    make_mock: MakeMock, method: str, path: str
) -> None:
    mock = make_mock(rivya__rate_limit=1)
    assert {mock.rivya(method, path).status for _ in range(3)} == {200}
    assert statuses(mock, 2) == [200, 429]
    assert mock.rivya(method, path).status == 200


def test_a_request_that_lacks_the_scope_does_not_count(make_mock: MakeMock) -> None:
    keys: dict[str, Any] = {"it": {"scopes": rivya.scopes_without("files:read")}}
    mock = make_mock(rivya__rate_limit=1, accounts=[rivya.account("a", **keys)])
    rivya.refusal(mock.rivya("GET", "/files/file_x", key="rvya_sk_it"), "api_scope_denied")
    assert statuses(mock, 1, key="rvya_sk_it") == [200]


def test_a_wrong_method_does_not_count(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    mock.rivya("DELETE", "/credits")
    assert statuses(mock, 1) == [200]


def test_a_request_over_the_limit_changes_nothing(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__rate_limit=1)
    mock.create()
    rivya.refusal(mock.create(), "rate_limited")
    mock.advance(60)
    assert mock.rivya("GET", "/credits").json()["current_credits"] == 1_000_000 - rivya.PRO_CREDITS
