"""Credits of AceData: held at submission, spent on success, given back once on failure."""

from __future__ import annotations

from typing import Any

import pytest

from tests import acedata
from tests.mock import KEY, VIDEO, MakeMock, Mock


def available(mock: Mock, name: str = "acedata-test") -> int:
    """The available credits, after everything due has happened."""
    acedata.bring_up_to_date(mock)
    return acedata.balance(mock, name)["available_credits"]


@pytest.mark.parametrize(
    "extra", [{"async": True}, {"callback_url": "http://127.0.0.1:9/"}, {"async": False}]
)
def test_every_mode_takes_one_credit_at_once(mock: Mock, extra: dict[str, Any]) -> None:
    acedata.record_callbacks(mock)
    acedata.hold(mock, VIDEO | extra)
    assert available(mock) == 999_999


@pytest.mark.parametrize("after_s", [0, 0.999, 1, 10**6])
def test_a_success_takes_nothing_more(mock: Mock, after_s: float) -> None:
    acedata.submit(mock)
    mock.advance(after_s)
    assert available(mock) == 999_999


@pytest.mark.parametrize(("after_s", "left"), [(0.999, 999_999), (1, 10**6), (10**6, 10**6)])
def test_a_failure_gives_the_credit_back_when_it_happens(
    make_mock: MakeMock, after_s: float, left: int
) -> None:
    mock = make_mock(tasks__failure_rate=1)
    acedata.submit(mock)
    mock.advance(after_s)
    assert available(mock) == left


def test_a_failure_is_given_back_once(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    acedata.hold(mock)
    task_id = acedata.submit(mock)
    for _ in range(3):
        mock.advance(1)
        acedata.retrieve(mock, task_id)
    assert available(mock) == 1_000_000


@pytest.mark.parametrize(
    ("settings", "code", "left"),
    [
        ({"tasks__failure_rate": 1}, "api_error", 1_000_000),
        ({"acedata__hold_limit_s": 1, "tasks__processing_s": 9}, "timeout", 999_999),
    ],
)
def test_a_failure_of_a_held_open_request_returns_the_credit_and_a_timeout_does_not(
    make_mock: MakeMock, settings: dict[str, Any], code: str, left: int
) -> None:
    mock = make_mock(**settings)
    caller = acedata.hold(mock)
    mock.advance(1)
    assert available(mock) == left
    acedata.refusal(caller.answer(), code)


def test_a_client_that_hangs_up_has_paid(mock: Mock) -> None:
    acedata.hold(mock).hang_up()
    mock.advance(1)
    assert available(mock) == 999_999


def test_where_the_credit_is_while_a_task_runs_and_after(mock: Mock) -> None:
    acedata.submit(mock)
    assert acedata.balance(mock) == {
        "granted_credits": 1_000_000,
        "available_credits": 999_999,
        "reserved_credits": 1,
        "spent_credits": 0,
    }
    mock.advance(1)
    acedata.bring_up_to_date(mock)
    assert acedata.balance(mock) == {
        "granted_credits": 1_000_000,
        "available_credits": 999_999,
        "reserved_credits": 0,
        "spent_credits": 1,
    }


def test_when_the_balance_is_used_up_nothing_is_made(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("acedata-test", credits=1, one={})])
    acedata.submit(mock, token="one")
    before = acedata.state(mock)
    acedata.refusal(mock.acedata("/videos", acedata.ASYNC, token="one"), "used_up")
    assert acedata.state(mock) == before


def test_a_held_open_request_without_balance_is_answered_at_once(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", credits=0, one={})])
    acedata.refusal(mock.acedata("/videos", VIDEO, token="one"), "used_up")


def test_a_used_up_account_can_still_look_at_its_tasks(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", credits=1, one={})])
    task_id = acedata.submit(mock, token="one")
    assert acedata.retrieve(mock, task_id, token="one")["id"] == task_id


def test_a_credit_that_came_back_can_be_spent_again(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", credits=1, one={})], tasks__failure_rate=1)
    for _ in range(3):
        acedata.submit(mock, token="one")
        mock.advance(1)


def test_of_racing_requests_only_those_that_can_be_paid_are_accepted(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", credits=2, one={})])
    callers = [acedata.hold(mock, VIDEO, token="one") for _ in range(5)]
    mock.advance(1)
    assert available(mock, "a") == 0
    statuses = sorted(caller.answer().status for caller in callers)
    assert statuses == [200, 200, 403, 403, 403]


def test_the_two_apis_of_one_account_share_its_credits(make_mock: MakeMock) -> None:
    both = acedata.account("a", credits=58, one={})
    both["keys"].append({"key": KEY, "api": "rivya"})
    mock = make_mock(accounts=[both])
    acedata.submit(mock, token="one")
    assert mock.rivya("GET", "/credits").json()["current_credits"] == 57


def test_accounts_do_not_share_credits(make_mock: MakeMock) -> None:
    mock = make_mock(
        accounts=[acedata.account("a", one={}), acedata.account("b", credits=5, two={})]
    )
    acedata.submit(mock, token="one")
    assert (available(mock, "a"), available(mock, "b")) == (999, 5)


def test_half_of_the_tasks_fail_and_only_they_come_back(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=0.5, seed=3)
    ids = [acedata.submit(mock) for _ in range(20)]
    mock.advance(1)
    succeeded = [acedata.retrieve(mock, task_id)["response"]["success"] for task_id in ids].count(
        True
    )
    assert 0 < succeeded < 20
    assert available(mock) == 1_000_000 - succeeded
