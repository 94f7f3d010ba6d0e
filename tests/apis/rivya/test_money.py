"""Credits: held at create, spent on success, given back once on failure, and never lost or made."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests import rivya
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, MakeMock, Mock

PRICES = {"hailuo-pro": rivya.PRO_CREDITS, "hailuo-standard": rivya.STANDARD_CREDITS}


def test_the_credits_are_one_number(mock: Mock) -> None:
    assert mock.rivya("GET", "/credits").json() == {"current_credits": 1_000_000}


@pytest.mark.parametrize(("model", "price"), PRICES.items())
def test_a_create_takes_the_price_at_once(mock: Mock, model: str, price: int) -> None:
    mock.create(model=model)
    assert rivya.credits_of(mock) == 1_000_000 - price


@pytest.mark.parametrize("after_s", [0, 0.2, 0.999, 1, 10**6])
def test_a_success_takes_nothing_more(mock: Mock, after_s: float) -> None:
    mock.create()
    mock.advance(after_s)
    assert rivya.credits_of(mock) == 1_000_000 - rivya.PRO_CREDITS


@pytest.mark.parametrize(
    ("after_s", "left"), [(0, 943), (0.2, 943), (0.999, 943), (1, 1000), (10**6, 1000)]
)
def test_a_failure_gives_the_whole_price_back_when_it_happens(
    make_mock: MakeMock, after_s: float, left: int
) -> None:
    mock = make_mock(accounts=[rivya.account("a", credits=1000, test={})], tasks__failure_rate=1)
    mock.create()
    mock.advance(after_s)
    assert rivya.credits_of(mock) == left


def test_a_failure_is_given_back_once(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = mock.create().json()["id"]
    for _ in range(3):
        mock.advance(1)
        mock.generation(task_id)
    assert rivya.credits_of(mock) == 1_000_000


def test_where_the_credits_are_while_a_task_runs_and_after(mock: Mock) -> None:
    mock.create()
    assert rivya.balance(mock) == {
        "granted_credits": 1_000_000,
        "available_credits": 999_943,
        "reserved_credits": rivya.PRO_CREDITS,
        "spent_credits": 0,
    }
    mock.advance(1)
    rivya.credits_of(mock)
    assert rivya.balance(mock) == {
        "granted_credits": 1_000_000,
        "available_credits": 999_943,
        "reserved_credits": 0,
        "spent_credits": rivya.PRO_CREDITS,
    }


@pytest.mark.parametrize(("credits", "status"), [(0, 402), (56, 402), (57, 200), (58, 200)])
def test_a_balance_must_cover_the_price(make_mock: MakeMock, credits: int, status: int) -> None:
    mock = make_mock(accounts=[rivya.account("a", credits=credits, test={})])
    assert mock.create().status == status


def test_the_credits_of_a_new_account_buy_neither_model(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", credits=6, test={})])
    for model in PRICES:
        rivya.refusal(mock.create(model=model), "insufficient_credits")
    assert rivya.credits_of(mock) == 6


def test_a_create_without_credits_makes_no_task_and_takes_nothing(poor: Mock) -> None:
    poor.create()
    before = rivya.balance(poor)
    rivya.refusal(poor.create(), "insufficient_credits")
    assert rivya.balance(poor) == before
    assert len(poor.world.tasks) == 1


def test_credits_that_came_back_can_be_spent_again(make_mock: MakeMock) -> None:
    mock = make_mock(
        accounts=[rivya.account("a", credits=rivya.PRO_CREDITS, test={})], tasks__failure_rate=1
    )
    for _ in range(3):
        assert mock.create().status == 200
        mock.advance(1)


def test_keys_of_one_account_share_its_credits(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", credits=100, test={}, second={})])
    mock.create()
    assert rivya.credits_of(mock, "rvya_sk_second") == 43


def test_accounts_do_not_share_credits(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}), rivya.account("b", credits=5, b={})])
    mock.create()
    assert rivya.credits_of(mock, "rvya_sk_b") == 5


def test_a_failure_of_one_account_gives_the_other_nothing(make_mock: MakeMock) -> None:
    mock = make_mock(
        accounts=[rivya.account("a", test={}), rivya.account("b", credits=5, b={})],
        tasks__failure_rate=1,
    )
    mock.create()
    mock.advance(1)
    assert (rivya.credits_of(mock), rivya.credits_of(mock, "rvya_sk_b")) == (1000, 5)


def test_an_upload_costs_nothing(mock: Mock) -> None:
    mock.upload()
    assert rivya.credits_of(mock) == 1_000_000


@pytest.mark.parametrize("racing", [2, 7])
def test_of_racing_creates_only_those_that_can_be_paid_are_accepted(
    make_mock: MakeMock, racing: int
) -> None:
    mock = make_mock(
        accounts=[rivya.account("rivya-test", credits=2 * rivya.PRO_CREDITS - 1, test={})]
    )

    async def story() -> list[Answer]:
        return await asyncio.gather(*[_create_in_pieces(mock) for _ in range(racing)])

    answers = mock.driver.loop.run_until_complete(story())
    assert sorted(answer.status for answer in answers) == [200] + [402] * (racing - 1)
    assert rivya.balance(mock)["available_credits"] == rivya.PRO_CREDITS - 1


async def _create_in_pieces(mock: Mock) -> Answer:
    """A create whose body comes in two pieces, with others let in between."""
    raw = json.dumps(MINIMAL).encode()
    await asyncio.sleep(0)
    return await mock.driver.exchange(
        "POST",
        "/api/v1/generations",
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
        chunks=[raw[:10], raw[10:]],
    )


# --- any story ---------------------------------------------------------------------------------


class Customers(RuleBasedStateMachine):
    """Two accounts of one world; the model is each account's credits and tasks."""

    asked: Bundle[tuple[str, str, str]] = Bundle("asked")

    @initialize(failure_rate=st.sampled_from([0, 0.5, 1]), credits=st.integers(0, 300))
    def open(self, failure_rate: float, credits: int) -> None:
        self.mock = Mock(
            tasks__failure_rate=failure_rate,
            accounts=[
                rivya.account("a", credits=credits, a={}),
                rivya.account("b", credits=100, b={}),
            ],
        )
        self.granted = {"a": credits, "b": 100}
        self.free = dict(self.granted)
        self.running: dict[str, tuple[str, int]] = {}
        self.number = 0

    @rule(
        target=asked,
        name=st.sampled_from(["a", "a", "b"]),
        model=st.sampled_from(sorted(PRICES)),
    )
    def create(self, name: str, model: str) -> Any:
        self.number += 1
        answer = self._ask(name, f"key-{self.number}", model)
        if self.free[name] < PRICES[model]:
            rivya.refusal(answer, "insufficient_credits")
            return multiple()
        assert answer.status == 200
        self.free[name] -= PRICES[model]
        self.running[answer.json()["id"]] = (name, PRICES[model])
        return (name, f"key-{self.number}", model)

    @rule(was=asked)
    def ask_again(self, was: tuple[str, str, str]) -> None:
        assert self._ask(*was).status == 200

    @rule(was=asked)
    def ask_for_something_else(self, was: tuple[str, str, str]) -> None:
        name, key, model = was
        other = next(other for other in PRICES if other != model)
        rivya.refusal(self._ask(name, key, other), "idempotency_conflict")

    @rule(was=asked)
    def ask_for_nonsense(self, was: tuple[str, str, str]) -> None:
        rivya.refusal(self._ask(was[0], was[1], "nonsense"), "validation_failed")

    @rule(seconds=st.sampled_from([0, 0.1, 0.2, 0.8, 1, 5]))
    def wait(self, seconds: float) -> None:
        self.mock.advance(seconds)

    @invariant()
    def credits_agree(self) -> None:
        for task_id in list(self.running):
            self._settle(task_id)
        for name, free in self.free.items():
            assert rivya.credits_of(self.mock, f"rvya_sk_{name}") == free

    @invariant()
    def no_credit_is_lost_or_made(self) -> None:
        for name, granted in self.granted.items():
            places = rivya.balance(self.mock, name)
            assert places.pop("granted_credits") == granted
            assert sum(places.values()) == granted
            assert min(places.values()) >= 0

    def teardown(self) -> None:
        if hasattr(self, "mock"):
            self.mock.close()

    def _ask(self, name: str, idempotency_key: str, model: str) -> Answer:
        body = MINIMAL | {"model": model}
        return rivya.create_once(self.mock, idempotency_key, body, key=f"rvya_sk_{name}")

    def _settle(self, task_id: str) -> None:
        name, price = self.running[task_id]
        shown = self.mock.rivya("GET", f"/generations/{task_id}", key=f"rvya_sk_{name}").json()
        assert shown["reserved_credits"] == price
        assert shown["final_credits"] == (price if shown["status"] == "succeeded" else 0)
        if shown["status"] in {"succeeded", "failed"}:
            del self.running[task_id]
        if shown["status"] == "failed":
            self.free[name] += price


TestCustomers = Customers.TestCase
TestCustomers.settings = settings(max_examples=40, stateful_step_count=20)
