"""Checks of a server that is not the fake: an assumption is confirmed or refuted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_tests.fakes import COMMAND, RunningFake
from tests.contract_tests.test_check import check_result

# The fake without its version route, and with another spelling of one assumed error code.
SERVER = """
from contract_tests.broken.broken_server import BrokenServer
from contract_tests.broken.serve import run
from mock_server.door import server
from mock_server.core.refusals import UnknownPath

async def nothing(call):
    raise UnknownPath("nothing is here")

def change(answer):
    answer.body = answer.body.replace(b'"method_not_allowed"', b'"wrong_method"')
    if {breaks}:
        answer.body = answer.body.replace(b'"requestId"', b'"request_id"')

server.version = nothing
run(BrokenServer("real", "rivya", "rivya.rule.wrong-method", on_answer=change))
"""


@pytest.fixture
def real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    script = tmp_path / "server.py"
    script.write_text(SERVER.format(breaks=request.param), "utf-8")
    monkeypatch.setenv(COMMAND, f"{sys.executable} {script}")
    with RunningFake("default", seed=1, frozen=False) as server:
        yield server.url


@pytest.mark.parametrize("real", [False], indirect=True)
def test_a_refuted_assumption_is_reported_and_is_no_failure(real: str) -> None:
    run = check_result(
        "--api", "rivya", "--base-url", real, "--only", "test_refusals", "--only", "test_models"
    )
    assert run["findings"] == []
    refuted = {finding["id"]: finding for finding in run["refuted"]}
    assert "rivya.rule.wrong-method" in refuted
    assert refuted["rivya.rule.wrong-method"]["blame"].startswith("the contract")
    verdicts = {row["id"]: row["verdict"] for row in run["promises"]}
    assert verdicts["rivya.rule.wrong-method"] == "refuted"
    assert verdicts["rivya.rule.auth-before-body"] == "confirmed"
    assert verdicts["rivya.error.api_key_missing"] == "held"


@pytest.mark.parametrize("real", [True], indirect=True)
def test_a_broken_documented_promise_is_the_service_s_failure(real: str) -> None:
    run = check_result("--api", "rivya", "--base-url", real, "--only", "test_refusals", code=1)
    (finding,) = [f for f in run["findings"] if f["id"] == "rivya.RivyaError.error.requestId"]
    assert finding["blame"].startswith("the service")
