"""What a request may cost, the plan of checks, and what counts as spent."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from contract_tests.budget import (
    Budget,
    NoPriceList,
    OverBudget,
    PricedCheck,
    Prices,
    api_of_create,
    plan_checks,
    whole_credits,
)
from contract_tests.contract import contract
from contract_tests.origins import session_through
from tests.contract_tests.adversary import Adversary, transport_to

BASE = "http://shop.test"


def listing(*models: dict[str, Any]) -> bytes:
    return json.dumps({"object": "list", "data": list(models)}).encode()


def model(name: str, price: Any, status: str = "available") -> dict[str, Any]:
    return {"id": name, "base_credits": price, "api_status": status}


BOTH = (model("hailuo-pro", 57), model("hailuo-standard", 30))


def prices_of(*models: dict[str, Any]) -> Prices:
    prices = Prices(contract(), ("rivya", "acedata"))
    prices.read_list(200, listing(*models))
    return prices


@pytest.mark.parametrize(
    ("method", "path", "api"),
    [
        ("POST", "/api/v1/generations", "rivya"), ("post", "//API//v1///Generations/", "rivya"),
        ("POST", "/api/v1/gen%2565rations", "rivya"), ("POST", "/api/v1/generations;v=1", "rivya"),
        ("POST", "/api/v1/generations/batch", "rivya"),
        ("POST", "/api/v1/webhooks/..%2f..%2fv1%2fgenerations", "rivya"),
        ("POST", "/api/v1/\uff47enerations", "rivya"), ("PUT", "/api/v1/generations", "rivya"),
        ("QUERY", "/hailuo/videos", "acedata"), ("POST", "/hailuo/videos", "acedata"),
        ("POST", "/hailuo/Videos%2f", "acedata"), ("POST", "/hailuo/nothing-here", "acedata"),
        ("POST", "/hailuo/../api/v1/generations", "rivya"),
        ("POST", "/gw/api/v1/generations", "rivya"), ("POST", "/nothing-here", "rivya"),
        ("GET", "/api/v1/generations", None), ("DELETE", "/api/v1/generations/task_x", None),
        ("POST", "/hailuo/tasks", None), ("POST", "/api/v1/files", None),
        ("POST", "/api/v1/webhooks/whend_A/test", None), ("POST", "/api/v1/credits", None),
    ],
)  # fmt: skip
def test_a_request_to_a_path_that_creates_may_create(
    method: str, path: str, api: str | None
) -> None:
    assert api_of_create(method, path) == api


@pytest.mark.parametrize(
    ("body", "credits"),
    [
        (b'{"model": "hailuo-pro", "prompt": ""}', 57),
        (b'{"model": "hailuo-standard"}', 30),
        (b'{"model": "Hailuo-Standard"}', 80),
        (b'{"model": "hailuo-next"}', 80),
        (b'{"model": "hailuo-pro", "model": "hailuo-next"}', 80),
        (b"{}", 80),
        (b'[["model", "hailuo-pro"]]', 80),
        (b"{not json", 80),
        (b"", 80),
        (b"\xff\xfe", 80),
        (b"[" * 100_000, 80),
        (b"[]", 80),
        (b"[{}, {}, {}]", 240),
    ],
)
def test_a_create_may_cost_the_dearest_model_unless_it_names_one_that_can_be_called(
    body: bytes, credits: int
) -> None:
    prices = prices_of(*BOTH, model("hailuo-next", 80, "coming_soon"))
    assert prices.possible_credits("rivya", body) == credits
    assert prices.possible_credits("acedata", body) == (3 if credits == 240 else 1)


def test_no_price_counts_less_than_the_catalogue_or_an_earlier_list() -> None:
    prices = prices_of(model("hailuo-pro", 400.2), model("hailuo-standard", 30))
    assert prices.possible_credits("rivya", b'{"model": "hailuo-pro"}') == 401
    prices.read_list(200, listing(model("hailuo-pro", 1), model("hailuo-standard", 0)))
    assert prices.possible_credits("rivya", b'{"model": "hailuo-pro"}') == 401
    cheap = prices_of(model("hailuo-pro", 1), model("hailuo-standard", 0))
    assert cheap.possible_credits("rivya", b'{"model": "hailuo-standard"}') == 30
    cheap.note_charge("rivya", 99, possible_credits=30)
    assert cheap.possible_credits("rivya", b'{"model": "hailuo-standard"}') == 99


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (429, listing(*BOTH), "answered with 429"),
        (302, listing(*BOTH), "answered with 302"),
        (200, b"<html><h1>Welcome</h1></html>", "no list of models"),
        (200, b"", "no list of models"),
        (200, listing(*BOTH)[:-9], "no list of models"),
        (200, b"[]", "no list of models"),
        (200, b'{"data": 3}', "no list of models"),
        (200, b'{"data": [1]}', "no list of models"),
        (200, b"[" * 100_000, "no list of models"),
        (200, listing(), "no price of hailuo-pro and hailuo-standard"),
        (200, listing(BOTH[0]), "no price of hailuo-standard"),
        (200, listing(BOTH[0], model("hailuo-standard", None)), "no price of hailuo-standard"),
        (200, listing(BOTH[0], model("hailuo-standard", "30")), "no number of credits"),
        (200, listing(BOTH[0], model("hailuo-standard", -1)), "no number of credits"),
        (200, listing(BOTH[0], model("hailuo-standard", True)), "no number of credits"),
        (200, listing(BOTH[0], model("hailuo-standard", float("nan"))), "no number of credits"),
    ],
)
def test_without_a_readable_price_list_there_is_no_create(
    status: int, body: bytes, words: str
) -> None:
    with pytest.raises(NoPriceList, match=f"no create was sent: .*{words}"):
        Prices(contract(), ("rivya",)).read_list(status, body)


def test_a_model_without_a_price_that_the_suite_does_not_use_is_ignored() -> None:
    prices = prices_of(*BOTH, {"id": "chat", "api_status": "available"})
    assert prices.dearest_of_all("rivya") == 57


def test_a_server_that_told_more_than_its_price_is_counted_as_the_dearest() -> None:
    prices, body = prices_of(*BOTH), b'{"model": "hailuo-standard"}'
    prices.note_charge("rivya", 30, possible_credits=30)
    assert prices.possible_credits("rivya", body) == 30
    prices.note_charge("rivya", 31, possible_credits=30)
    assert prices.possible_credits("rivya", body) == 57


def test_fractions_of_credits_are_rounded_up() -> None:
    assert [whole_credits(value) for value in (0, 0.1, 29.999, 30, 1e300)][:4] == [0, 1, 30, 30]
    assert [whole_credits(value) for value in ("3", None, True, -1, float("inf"))] == [None] * 5


def test_a_create_counts_as_much_as_it_could_cost_or_as_it_says_if_that_is_more() -> None:
    budget = Budget(300)
    for told, spent, doubtful in ((30, 30, 27), (0, 30, 84), (90, 120, 84)):
        budget.reserve(57)
        budget.settle_taken(57, told, f"task_{told}")
        assert (budget.spent_credits, budget.doubtful_credits) == (spent, doubtful)
    budget.reserve(57)
    budget.settle_taken(57, 30, "task_30")
    assert budget.doubtful_credits == 141
    with pytest.raises(OverBudget, match="may cost 57 credits .*, 39 are left"):
        budget.reserve(57)
    budget.reserve(39)
    budget.settle_unknown(39)
    assert budget.left_credits == 0


def test_without_a_limit_only_what_was_told_is_counted() -> None:
    budget = Budget(None)
    for name in ("a", "b"):
        budget.reserve(57)
        budget.settle_taken(57, 30, name)
    assert (budget.spent_credits, budget.doubtful_credits) == (60, 0)


def test_the_plan_chooses_the_cheapest_checks_and_lists_the_others() -> None:
    checks = [
        PricedCheck("dear", 57),
        PricedCheck("free", 0),
        PricedCheck("cheap", 30),
        PricedCheck("other", 30),
    ]
    planned = plan_checks(checks, 57)
    assert [check.name for check in planned.chosen] == ["free", "cheap"]
    assert [check.name for check in planned.left_out] == ["other", "dear"]
    assert planned.planned_credits == 30
    assert plan_checks(checks, None).left_out == ()


def test_a_429_is_retried_after_the_time_it_names() -> None:
    class Busy(Adversary):
        answers = 0

        def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
            self.answers += 1
            if self.answers > 1:
                return self.answer(request, 200, {"current_credits": 1})
            response = self.answer(request, 429, {"error": {"code": "rate_limited"}})
            response.headers["retry-after"] = "0"
            return response

    busy = Busy(1, BASE)
    transport = transport_to(busy, 0, BASE)
    with session_through(transport) as session:
        assert session.get(f"{BASE}/api/v1/credits").status_code == 200
        with transport.returning_429():
            busy.answers = 0
            assert session.get(f"{BASE}/api/v1/credits").status_code == 429
