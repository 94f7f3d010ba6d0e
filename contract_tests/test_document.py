"""Requests made from the document itself, valid and broken, and every answer held against it."""

from __future__ import annotations

import pytest

from contract_tests.contract import APIS, Api, contract
from contract_tests.generated import Generation, Outcome
from contract_tests.run import Run
from contract_tests.target import time_goes_on
from contract_tests.verdicts import Require

_ROWS = (
    "{api}.rule.takes-what-is-valid", "{api}.rule.refuses-what-is-invalid",
    "{api}.rule.wrong-method", "{api}.rule.answers", "{api}.rule.documented-statuses",
    "{api}.rule.json-answers",
)  # fmt: skip
_FEW, _MANY = 8, 30
_MOST_CREATES = 60
_CREATES = {"createGeneration": "hailuo-standard", "createVideo": "minimax-t2v"}


def _each_operation(count: int) -> pytest.MarkDecorator:
    """Once for each operation; those that create cost so many generations."""
    return pytest.mark.parametrize(
        ("api", "operation"),
        [
            pytest.param(
                api,
                name,
                marks=[pytest.mark.price(_CREATES[name], count=count)] if name in _CREATES else [],
            )
            for api in APIS
            for _, _, described in contract().operations(api)
            for name in [described["operationId"]]
        ],
    )


_LIVES_ON_IDS = frozenset(
    operation["operationId"]
    for api in APIS
    for _, path, operation in contract().operations(api)
    if "{" in path
) | {"queryTasks"}


def generate(run: Run, api: Api, phase: str, *operations: str, examples: int) -> Outcome:
    """What one phase brings; on the fake, time goes on meanwhile."""
    target = run.target
    made = Generation(
        api=api,
        base_url=target.base_url,
        key=target.keys[api]["own"],
        seed=run.options.seed,
        examples=examples,
        session=target.session,
    )
    with time_goes_on(target.time):
        return made.run(phase, *operations)


def settle(run: Run, require: Require, api: Api, outcome: Outcome) -> None:
    """Hand what was found to the ledger."""
    for finding in outcome.findings:
        run.verdicts.note(finding)
    errors = outcome.errors[:3]
    require(f"{api}.rule.answers", not errors, expected="an answer to each", got=errors)
    require(
        f"{api}.rule.refuses-what-is-invalid", outcome.requests, expected="requests", got="none"
    )


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.holds(*_ROWS)
@_each_operation(_FEW)
def test_generated_requests_are_answered_as_the_document_says(
    run: Run, api: Api, operation: str, require: Require
) -> None:
    few = _FEW if run.options.quick else _MANY
    outcome = generate(run, api, "fuzzing", operation, examples=few)
    settle(run, require, api, outcome)
    if operation not in _LIVES_ON_IDS | {"uploadFile"}:  # whose files are seldom what they say
        require(
            f"{api}.rule.takes-what-is-valid", outcome.accepted,
            expected=f"one valid {operation} accepted at least",
            got=f"{outcome.requests} requests, none accepted",
        )  # fmt: skip


@pytest.mark.rank(6)
@pytest.mark.deep
@pytest.mark.full
@pytest.mark.holds(*_ROWS)
@_each_operation(_MOST_CREATES)
def test_every_keyword_of_the_document_is_tried(
    run: Run, api: Api, operation: str, require: Require
) -> None:
    settle(run, require, api, generate(run, api, "coverage", operation, examples=_FEW))


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.price("hailuo-standard", count=4)
@pytest.mark.price("minimax-t2v", count=4)
@pytest.mark.holds(*_ROWS)
def test_the_examples_of_the_document_are_taken(run: Run, api: Api, require: Require) -> None:
    settle(run, require, api, generate(run, api, "examples", examples=_FEW))


@pytest.mark.rank(5)
@pytest.mark.deep
@pytest.mark.full
@pytest.mark.price("hailuo-standard", count=_MOST_CREATES)
@pytest.mark.price("minimax-t2v", count=_MOST_CREATES)
@pytest.mark.holds(*_ROWS)
def test_links_lead_from_one_operation_to_the_next(run: Run, api: Api, require: Require) -> None:
    settle(run, require, api, generate(run, api, "stateful", examples=_FEW))
