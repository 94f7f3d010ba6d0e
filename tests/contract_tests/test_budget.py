"""Never a credit too many, whatever the server does with its prices."""

from __future__ import annotations

import io
import json
import random
from contextlib import suppress
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

from contract_tests.budget import Budget, OverBudget, Priced, Prices, plan
from contract_tests.conformance import Conformance
from contract_tests.contract import contract
from contract_tests.door import Door, Pace, session_through
from contract_tests.verdicts import Verdicts

BASE = "http://shop.test"
KEY = "rvya_sk_test"
MODELS = ("hailuo-pro", "hailuo-standard")


class Shop(HTTPAdapter):
    """A server that changes its prices as it likes, charges replays, takes what it should refuse,
    and loses answers; but what it lists is what it charges next."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.prices = dict.fromkeys(MODELS, 30)
        self.charged = 0
        self.just_listed = False
        self.tasks: dict[str, str] = {}

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        if not self.just_listed:
            for model in MODELS:
                self.prices[model] = self.chance.choice([1, 29, 30, 57, 58, 400])
        self.just_listed = (request.url or "").endswith("/models")
        if self.just_listed:
            listed = [{"id": model, "base_credits": price} for model, price in self.prices.items()]
            return self._answer(request, 200, {"object": "list", "data": listed})
        if request.method == "POST":
            return self._create(request)
        return self._answer(request, 200, {"current_credits": 5})

    def _create(self, request: requests.PreparedRequest) -> requests.Response:
        body = json.loads(_text(request.body))
        price = self.prices.get(body.get("model"), 0)
        takes = self.chance.random() < 0.8 and price
        if takes:
            self.charged += price
        if self.chance.random() < 0.1:
            raise requests.ConnectionError("the answer was lost")
        if not takes:
            return self._answer(request, 400, {"error": {"code": "validation_failed"}})
        key = _text(request.headers.get("idempotency-key") or str(self.chance.random()))
        task_id = self.tasks.setdefault(key, f"task_{len(self.tasks)}")
        return self._answer(request, 200, {"id": task_id, "reserved_credits": price})

    @staticmethod
    def _answer(request: requests.PreparedRequest, status: int, body: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request = status, request
        response.url = request.url or ""
        response.headers["content-type"] = "application/json"
        response.raw = io.BytesIO(json.dumps(body).encode())
        return response


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "{}")


def door_to(shop: HTTPAdapter, max_credits: int | None) -> Door:
    door = Door(
        budget=Budget(max_credits),
        prices=Prices(contract(), ("rivya", "acedata")),
        pace=Pace(None, 4),
        conformance=Conformance(contract()),
        verdicts=Verdicts(),
        timeout_s=5,
        carrier=shop,
    )
    door.accounts.add(KEY)
    return door


def create(session: requests.Session, model: str, key: str | None) -> None:
    headers = {"authorization": f"Bearer {KEY}"} | ({"idempotency-key": key} if key else {})
    body = {"model": model, "prompt": "x"}
    session.post(f"{BASE}/api/v1/generations", json=body, headers=headers)


@settings(max_examples=1000, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    max_credits=st.sampled_from([0, 1, 29, 30, 57, 58, 100, 457]),
    wishes=st.lists(
        st.tuples(st.sampled_from([*MODELS, "hailuo-next"]), st.sampled_from([None, "a", "b"])),
        min_size=1,
        max_size=12,
    ),
)
def test_a_budget_is_never_exceeded_while_prices_change(
    seed: int, max_credits: int, wishes: list[tuple[str, str | None]]
) -> None:
    shop = Shop(seed)
    with session_through(door_to(shop, max_credits)) as session:
        for model, key in wishes:
            with suppress(OverBudget, requests.ConnectionError):
                create(session, model, key)
            assert shop.charged <= max_credits


def test_what_the_server_says_it_reserved_is_what_counts() -> None:
    shop = Shop(3)
    door = door_to(shop, 10_000)
    with session_through(door) as session:
        for _ in range(20):
            with suppress(requests.ConnectionError):
                create(session, "hailuo-pro", None)
    budget = door.budget
    assert budget.spent_credits <= shop.charged <= budget.spent_credits + budget.doubtful_credits
    assert budget.spent_credits > 0


def test_without_a_budget_only_what_cannot_be_billed_is_sent() -> None:
    shop = Shop(1)
    with session_through(door_to(shop, 0)) as session:
        with pytest.raises(OverBudget):
            create(session, "hailuo-standard", None)
        create(session, "no-such-model", None)
        nobody = {"authorization": "Bearer made-up"}
        body = {"model": "hailuo-pro", "prompt": "x"}
        session.post(f"{BASE}/api/v1/generations", json=body, headers=nobody)
    assert shop.charged <= 400  # nobody's account paid for the last one


@pytest.mark.parametrize(
    ("method", "path", "body", "risk"),
    [
        ("POST", "/api/v1/generations", {"model": "hailuo-pro", "prompt": ""}, 57),
        ("POST", "/api/v1/generations", {"model": "hailuo-standard"}, 30),
        ("POST", "/api/v1/generations", {"model": "hailuo-next"}, 0),
        ("POST", "/api/v1/generations", {}, 0),
        ("POST", "/api/v1/generations", [], 0),
        ("GET", "/api/v1/generations", None, 0),
        ("POST", "/hailuo/videos", {"action": "generate"}, 1),
        ("POST", "/hailuo/videos", {"model": "minimax-i2v"}, 1),
        ("POST", "/hailuo/videos", {"model": "other"}, 0),
        ("POST", "/hailuo/tasks", {"id": "x"}, 0),
    ],
)
def test_a_request_risks_what_it_would_cost_if_it_were_taken(
    method: str, path: str, body: Any, risk: int
) -> None:
    prices = Prices(contract(), ("rivya", "acedata"))
    assert prices.risk_credits(method, path, json.dumps(body).encode()) == risk


def test_the_plan_takes_the_cheapest_first_and_says_what_it_leaves_out() -> None:
    checks = [Priced("dear", 57), Priced("free", 0), Priced("cheap", 30), Priced("other", 30)]
    planned = plan(checks, 57)
    assert [check.name for check in planned.chosen] == ["free", "cheap"]
    assert [check.name for check in planned.left_out] == ["other", "dear"]
    assert planned.planned_credits == 30
    assert plan(checks, None).left_out == ()


def test_a_429_is_obeyed() -> None:
    class Busy(Shop):
        answers = 0

        def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
            self.answers += 1
            if self.answers > 1:
                return self._answer(request, 200, {"current_credits": 1})
            response = self._answer(request, 429, {"error": {"code": "rate_limited"}})
            response.headers["retry-after"] = "0"
            return response

    busy = Busy(1)
    door = door_to(busy, 0)
    with session_through(door) as session:
        assert session.get(f"{BASE}/api/v1/credits").status_code == 200
        with door.taking_429():
            busy.answers = 0
            assert session.get(f"{BASE}/api/v1/credits").status_code == 429
