"""Schemathesis sends within the budget, and what it could not send is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from requests.adapters import HTTPAdapter

from contract_tests.budget import OverBudget
from contract_tests.contract import Api
from contract_tests.fakes import KEYS, RunningFake
from contract_tests.target import RealClock, Target
from tests.contract_tests.adversary import transport_to


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    with RunningFake("default", seed=1) as running:
        yield running.url


@pytest.mark.parametrize(
    ("api", "phase", "operation", "max_credits"),
    [
        ("rivya", "examples", "createGeneration", 30),
        ("acedata", "stateful", None, 0),
        ("rivya", "fuzzing", "listModels", 0),
    ],
)
def test_what_the_budget_stops_is_known(
    fake: str, api: Api, phase: str, operation: str | None, max_credits: int
) -> None:
    from contract_tests.generated import Generator  # it takes a quarter of a second to import

    transport = transport_to(HTTPAdapter(), max_credits)
    target = Target(fake, transport, RealClock(is_local=True), KEYS, is_fake=True)
    result = Generator(api, target, seed=1, examples=8).run(phase, *filter(None, [operation]))
    assert result.requests
    assert result.errors == []
    assert isinstance(result.not_sent, OverBudget) is (operation != "listModels")
    assert transport.budget.spent_credits + transport.budget.doubtful_credits == max_credits
