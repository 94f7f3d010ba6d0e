"""Checks with requests that Schemathesis generates from the document, valid and invalid ones."""

from __future__ import annotations

import pytest

from contract_tests.contract import APIS, Api, contract
from contract_tests.generated import EngineResult, Generator
from contract_tests.run import Run
from contract_tests.target import running_clock
from contract_tests.verdicts import Require

pytestmark = pytest.mark.full

_PROMISES = (
    "{api}.rule.takes-what-is-valid", "{api}.rule.refuses-what-is-invalid",
    "{api}.rule.wrong-method", "{api}.rule.answers", "{api}.rule.documented-statuses",
    "{api}.rule.json-answers",
)  # fmt: skip
_FEW, _MANY = 8, 30
_MOST_CREATES = 60
_CREATES = {"createGeneration": "hailuo-pro", "createVideo": "minimax-t2v"}


def _each_operation(count: int, quick: int) -> pytest.MarkDecorator:
    """Run a check once for each operation. `count` and `quick`: the creates that it may cost."""
    return pytest.mark.parametrize(
        ("api", "operation"),
        [
            pytest.param(
                api,
                name,
                marks=[
                    pytest.mark.price(model, count=count, quick=quick)
                    for model in [_CREATES.get(name)]
                    if model
                ],
            )
            for api in APIS
            for _, _, described in contract().operations(api)
            for name in [described["operationId"]]
        ],
    )


_NEEDS_AN_ID = frozenset(
    operation["operationId"]
    for api in APIS
    for _, path, operation in contract().operations(api)
    if "{" in path
) | {"queryTasks"}


def generate(run: Run, api: Api, phase: str, *operations: str, examples: int) -> EngineResult:
    """Run one phase while the clock runs. Its result."""
    generator = Generator(api, run.target, run.options.seed, examples)
    with running_clock(run.target.clock):
        return generator.run(phase, *operations)


def settle(run: Run, require: Require, api: Api, result: EngineResult) -> None:
    """Add the findings of a phase to the verdicts."""
    for finding in result.findings:
        run.verdicts.add(finding)
    if result.not_sent is not None:
        raise result.not_sent
    errors = result.errors[:3]
    require(f"{api}.rule.answers", not errors, expected="an answer to each", got=errors)
    require(f"{api}.rule.refuses-what-is-invalid", result.requests, expected="requests", got="none")


@pytest.mark.rank(3)
@pytest.mark.holds(*_PROMISES)
@_each_operation(_MANY, quick=_FEW)
def test_generated_requests_are_answered_as_the_document_says(
    run: Run, api: Api, operation: str, require: Require
) -> None:
    few = _FEW if run.options.quick else _MANY
    result = generate(run, api, "fuzzing", operation, examples=few)
    settle(run, require, api, result)
    # A generated file rarely has the type that it names.
    if operation not in _NEEDS_AN_ID | {"uploadFile"}:
        require(
            f"{api}.rule.takes-what-is-valid", result.accepted,
            expected=f"one valid {operation} accepted at least",
            got=f"{result.requests} requests, none accepted",
        )  # fmt: skip


@pytest.mark.rank(6)
@pytest.mark.deep
@pytest.mark.holds(*_PROMISES)
@_each_operation(_MOST_CREATES, quick=_MOST_CREATES)
def test_every_keyword_of_the_document_is_tried(
    run: Run, api: Api, operation: str, require: Require
) -> None:
    settle(run, require, api, generate(run, api, "coverage", operation, examples=_FEW))


@pytest.mark.rank(3)
@pytest.mark.price("hailuo-standard", count=4)
@pytest.mark.price("hailuo-pro", count=2)
@pytest.mark.price("minimax-t2v", count=4)
@pytest.mark.holds(*_PROMISES)
def test_the_examples_of_the_document_are_taken(run: Run, api: Api, require: Require) -> None:
    settle(run, require, api, generate(run, api, "examples", examples=_FEW))


@pytest.mark.rank(5)
@pytest.mark.deep
@pytest.mark.price("hailuo-standard", count=_MOST_CREATES)
@pytest.mark.price("minimax-t2v", count=_MOST_CREATES)
@pytest.mark.holds(*_PROMISES)
def test_links_lead_from_one_operation_to_the_next(run: Run, api: Api, require: Require) -> None:
    settle(run, require, api, generate(run, api, "stateful", examples=_FEW))
