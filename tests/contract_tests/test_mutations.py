"""The changed request bodies: the invalid ones are invalid, and each keyword is violated."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.contract import APIS, contract
from contract_tests.promises import promises
from contract_tests.samples import SAMPLES, Sample
from mock_server.apis import ALL
from mock_server.apis.acedata.schema import task_query_rules, video_rules
from mock_server.apis.rivya.schema import strict_generation, webhook_create_rules
from mock_server.contract.contract import Contract as ServedContract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.contract.violations import BodyRules

SERVED = ServedContract(SCHEMAS, ALL)
NAMES = [f"{sample.path}-{number}" for number, sample in enumerate(SAMPLES)]


def accepts(sample: Sample, body: Any) -> bool:
    """Whether the server's own rules accept a body. They are read from the same contract."""
    rules: list[BodyRules] = {
        "/generations": [BodyRules(each) for each in SERVED.of(strict_generation).schemas.values()],
        "/videos": [BodyRules(each) for each in SERVED.of(video_rules).schemas.values()],
        "/tasks": [SERVED.of(task_query_rules)],
        "/webhooks": [SERVED.of(webhook_create_rules)],
    }[sample.path]
    return any(each.accepts(body) for each in rules)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_the_server_s_rules_agree_which_bodies_are_invalid(sample: Sample) -> None:
    invalid, valid = list(sample.mutations().invalid()), list(sample.mutations().valid())
    assert [each for each in invalid if accepts(sample, each.body)] == []
    assert [each for each in valid if not accepts(sample, each.body)] == []
    assert {each.promise_id for each in [*invalid, *valid]} <= promises().keys()
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
def test_every_keyword_is_violated(path: str, keywords: set[str]) -> None:
    violated = {
        each.change.partition(" ")[0]
        for sample in SAMPLES
        if sample.path == path
        for each in sample.mutations().invalid()
    }
    assert violated >= keywords


def test_each_disabled_check_names_an_operation_and_a_reason() -> None:
    from contract_tests.generated import DISABLED_CHECKS  # it takes a quarter of a second to import

    known = {row["operationId"] for api in APIS for _, _, row in contract().operations(api)}
    assert {disabled.operation for disabled in DISABLED_CHECKS} <= known
    assert all(len(disabled.reason) > 10 for disabled in DISABLED_CHECKS)
