"""Requests broken on purpose are broken, those kept valid are valid, each keyword has its own."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.contract import APIS, contract
from contract_tests.generated import OFF
from contract_tests.promises import promises
from contract_tests.samples import SAMPLES, Sample
from mock_server.contract.contract import Contract as ServedContract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.contract.violations import BodyRules

SERVED = ServedContract(SCHEMAS)
NAMES = [f"{sample.path}-{number}" for number, sample in enumerate(SAMPLES)]


def takes(sample: Sample, body: Any) -> bool:
    """Whether the server's own rules take a body: a second reading of the same contract."""
    rules: list[BodyRules] = {
        "/generations": [BodyRules(each) for each in SERVED.generation_rules.schemas.values()],
        "/videos": [BodyRules(each) for each in SERVED.video_rules.schemas.values()],
        "/tasks": [SERVED.task_query_rules],
        "/webhooks": [SERVED.webhook_create_rules],
    }[sample.path]
    return any(each.accepts(body) for each in rules)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_the_server_s_rules_agree_on_what_is_broken_and_what_is_not(sample: Sample) -> None:
    invalid, valid = list(sample.mutations().invalid()), list(sample.mutations().valid())
    assert [each for each in invalid if takes(sample, each.body)] == []
    assert [each for each in valid if not takes(sample, each.body)] == []
    assert {each.row for each in [*invalid, *valid]} <= promises().keys()
    assert len(invalid) >= 8
    assert valid


@pytest.mark.parametrize(
    ("path", "keywords"),
    [
        ("/generations", {"required", "type", "enum", "maxLength", "pattern", "maxItems", "not",
                          "additionalProperties"}),
        ("/videos", {"required", "type", "const", "maxLength", "pattern"}),
        ("/tasks", {"type", "enum", "minLength", "minItems"}),
        ("/webhooks", {"required", "type", "enum", "maxLength", "pattern", "minItems"}),
    ],
)  # fmt: skip
def test_every_keyword_is_broken(path: str, keywords: set[str]) -> None:
    broken = {
        each.what.partition(" ")[0]
        for sample in SAMPLES
        if sample.path == path
        for each in sample.mutations().invalid()
    }
    assert broken >= keywords


def test_what_is_off_of_schemathesis_names_operations_and_says_why() -> None:
    known = {row["operationId"] for api in APIS for _, _, row in contract().operations(api)}
    assert {off.operation for off in OFF} <= known
    assert all(len(off.reason) > 10 for off in OFF)
