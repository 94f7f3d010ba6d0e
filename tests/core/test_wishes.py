"""The groups of the shipped scenarios."""

from __future__ import annotations

from typing import get_args

import pytest

from mock_server.apis import ALL
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.core.wishes import Wish, wish_of
from mock_server.faults.scenarios import Scenarios

SCENARIOS = Scenarios([FIXTURES / "scenarios"], ALL, Contract(SCHEMAS, ALL).codes)


@pytest.mark.parametrize(
    ("name", "wish"),
    [
        ("lost_answer", "paid_twice"),
        ("bad_gateway_after", "paid_twice"),
        ("internal_error_after", "paid_twice"),
        ("late_answer", "paid_twice"),
        ("delivery_never", "callback"),
        ("delivery_before_answer", "callback"),
        ("delivery_wrong_secret", "callback"),
        ("slow", "slow"),
        ("hang", "slow"),
        ("stuck", "slow"),
        ("result_slow", "slow"),
        ("rate_limited", "refused"),
        ("bad_gateway", "refused"),
        ("answer_not_json", "broken_answer"),
        ("connection_reset", "broken_answer"),
        ("task_failed_moderation", "task_fails"),
    ],
)
def test_a_scenario_is_where_somebody_looks_for_it(name: str, wish: Wish) -> None:
    assert wish_of(SCENARIOS.find(name)) == wish


def test_every_group_has_scenarios_and_none_has_most() -> None:
    groups = [wish_of(SCENARIOS.find(name)) for name in SCENARIOS.names]
    assert set(groups) == set(get_args(Wish))
    assert max(groups.count(wish) for wish in set(groups)) <= len(groups) / 2
