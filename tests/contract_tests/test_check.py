"""The command `hailuo-mock check`: its output, its files and its exit code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import contract_tests
from contract_tests.broken import forked
from contract_tests.fakes import COMMAND, KEYS, RunningFake

LONGEST_S = 240
NEVER_CHECKED = {
    "rivya.error.internal_error",  # no request can cause it
    "rivya.error.more-codes",  # a promise about codes of the future
    "acedata.error.more-codes",
    "rivya.answer.RivyaServerFault",
    "rivya.Model.params[].description",  # optional, and the list leaves it out
}


MODULE = [sys.executable, "-m", "mock_server"]
SCRIPT = [str(Path(sys.executable).with_name("hailuo-mock"))]


def check(
    *arguments: str, code: int = 0, command: Sequence[str] = (), **environment: str
) -> tuple[str, str]:
    """Run `hailuo-mock check`, or another command with these arguments; its stdout and stderr."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("HAILUO_", "PYTEST"))}
    if command:
        done = subprocess.run(
            [*command, "check", *arguments], env=clean | environment,
            capture_output=True, text=True, timeout=LONGEST_S, check=False,
        )  # fmt: skip
    else:
        done = forked.run("check", *arguments, environment=clean | environment)
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout, done.stderr


def check_result(*arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
    """Run `hailuo-mock check --json`; its result."""
    found: dict[str, Any] = json.loads(check("--json", *arguments, code=code, **environment)[0])
    return found


def broken(name: str) -> dict[str, str]:
    return {COMMAND: f"{sys.executable} -m contract_tests.broken serve {name}"}


DEARER_THAN_PLANNED = (
    "test_one_generation_lives_as_promised",
    "test_an_api_that_is_off_says_so_to_everybody",  # a 503 to a create is counted as doubtful
)


def test_the_fake_keeps_every_promise_that_can_be_checked(tmp_path: Path) -> None:
    run = check_result("--quick", "--max-credits", "1000000", "--report-dir", str(tmp_path))
    assert run["findings"] == []
    dearer = [row["check"] for row in run["checks"] if row["cost_credits"] > row["planned_credits"]]
    assert [check for check in dearer if not check.endswith(DEARER_THAN_PLANNED)] == []
    assert (tmp_path / "traffic.har").stat().st_size < 5_000_000
    not_checked = {row["id"] for row in run["promises"] if row["verdict"] == "not checked"}
    assert not_checked == NEVER_CHECKED
    assert run["reached"]["operations"] == run["reached"]["of_operations"]


def test_the_suite_works_without_the_control_door() -> None:
    names = (
        "test_a_failed_gen",
        "test_one_generation",
        "test_one_video",
        "test_the_end_of_a_video",
    )
    run = check_result("--no-control-door", *[part for name in names for part in ("--only", name)])
    assert run["findings"] == []
    held = {row["id"] for row in run["promises"] if row["verdict"] == "held"}
    assert {"rivya.rule.failure-gives-back", "acedata.rule.callback-comes-once"} <= held


@pytest.mark.parametrize(
    ("name", "promise", "options"),
    [
        (
            "rivya/reserved-is-a-string",
            "rivya.Generation.reserved_credits",
            "--only test_one_generation",
        ),
        (
            "rivya/idempotency-is-ignored",
            "rivya.rule.replay-is-one-task",
            "--only test_idempotency",
        ),
        (
            "rivya/strangers-see-generations",
            "rivya.rule.foreign-as-unknown",
            "--only rivya.rule.foreign-as-unknown --stop-early",
        ),
        ("acedata/pending-is-null", "acedata.rule.pending-is-empty", "--stop-early"),
        (
            "acedata/callbacks-come-twice",
            "acedata.rule.callback-of-failure",
            "--only test_callbacks",
        ),
    ],
)
def test_a_broken_server_is_caught_with_a_request_that_shows_it(
    name: str, promise: str, options: str
) -> None:
    api = name.partition("/")[0]
    run = check_result("--api", api, *options.split(), "--quick", code=1, **broken(name))
    findings = {finding["id"]: finding for finding in run["findings"]}
    assert promise in findings
    finding = findings[promise]
    assert finding["curl"].startswith("curl -s -i")
    assert {"expected", "got", "seed", "blame", "source"} <= finding.keys()


BUT_GENERATED = [
    part
    for path in sorted(Path(contract_tests.__file__ or "").parent.rglob("test_*.py"))
    if path.stem not in {"test_document", "test_rules"}
    for part in ("--only", path.stem)
]
"""All checks but those of generated requests, which take most of the time."""


@pytest.mark.parametrize("name", ["rivya/more-fields", "acedata/more-fields"])
def test_unknown_fields_that_change_are_no_finding(name: str) -> None:
    api = name.partition("/")[0]
    run = check_result("--api", api, "--quick", *BUT_GENERATED, code=0, **broken(name))
    assert run["findings"] == []


def test_reports_are_written_and_hold_no_credential(tmp_path: Path) -> None:
    check("--api", "rivya", "--only", "webhook", "--report-dir", str(tmp_path))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"junit.xml", "run.ndjson", "traffic.har", "report.html"}
    for path in tmp_path.iterdir():
        text = path.read_text("utf-8")
        assert [key for key in KEYS["rivya"].values() if key in text] == []
        assert re.findall(r"whsec_[0-9A-Za-z+/]{6,}", text) == []  # a preview has two letters
    har = json.loads((tmp_path / "traffic.har").read_text("utf-8"))
    assert har["log"]["entries"]
    assert (tmp_path / "traffic.har").stat().st_size / len(har["log"]["entries"]) < 3000
    page = (tmp_path / "report.html").read_text("utf-8")
    targets = re.findall(r'href="#([^"]+)"', page)
    assert "promises" in targets
    assert all(f'id="{target}"' in page for target in targets)
    assert list(ET.parse(tmp_path / "junit.xml").getroot().iter("testcase"))
    lines = [json.loads(line) for line in (tmp_path / "run.ndjson").read_text("utf-8").splitlines()]
    assert {"run", "promise", "check", "exchange"} <= {line["row"] for line in lines}
    assert "<h1>The contract holds</h1>" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--base-url", "https://rivya.ai", "--api", "rivya", "--api-key", "k"), "--live"),
        (
            ("--base-url", "https://api.acedata.cloud/", "--api", "acedata", "--api-key", "k"),
            "--live",
        ),
        (("--base-url", "http://staging.invalid", "--api", "rivya"), "HAILUO_CHECK_API_KEY"),
        (("--base-url", "http://127.0.0.1:9"), "no server answers"),
        (("--base-url", "127.0.0.1:9"), "must begin with http"),
        (("--base-url", "http://[::1"), "must be a URL"),
        (("--base-url", "http://h:99999"), "must be a URL"),
        (("--base-url", "http://ute:secret@127.0.0.1:9"), "no user name and no password"),
        (("--base-url", "http://127.0.0.1:9/?key=secret"), "no query and no fragment"),
        (("--base-url", "https://rivya%2eai./", "--api", "rivya", "--api-key", "k"), "--live"),
        (("--base-url", "http://127.0.0.1:9", "--against", "fake"), "two servers"),
        (("--max-credits", "-1"), "less than 0"),
        (("--max-credit", "5"), "--max-credits"),
        (("--base-url", ""), "--base-url is empty"),
        (("--only=", "--report-dir", ""), "--report-dir is empty"),
        (("--base-url", f"http://{'a' * 64}.test", "--api", "rivya"), "must be a URL"),
        (("--callback-url", "callbacks"), "--callback-url must be a URL"),
        (("--seed", "-1"), "--seed must be from 0"),
        (("--only", "no-check-has-this-name"), ""),
    ],
)
def test_a_run_that_cannot_start_ends_with_2_and_the_reason(
    arguments: tuple[str, ...], words: str
) -> None:
    out, err = check(*arguments, code=2)
    assert words in out + err
    assert "secret" not in out + err


def test_a_budget_is_planned_kept_and_reported() -> None:
    with RunningFake("default", seed=1) as fake:
        run = check_result(
            "--quick", "--api", "rivya", "--base-url", fake.url, "--max-credits", "87",
            "--only", "test_models", "--only", "test_life", "--only", "test_idem",
            "--only", "test_requests", "--only", "test_money", "--only", "test_refusals",
        )  # fmt: skip
    assert run["planned_credits"] == 60
    assert run["spent_credits"] == 60
    assert run["doubtful_credits"] == 0
    assert {row["outcome"] for row in run["checks"]} == {"held"}
    reasons = {row["reason"] for row in run["left_out"]}
    assert "costs 60 credits" in reasons
    held = {row["id"] for row in run["promises"] if row["verdict"] == "held"}
    assert {"rivya.rule.create-takes-the-price", "rivya.rule.refuses-what-is-invalid"} <= held


def test_without_credits_all_free_checks_run() -> None:
    with RunningFake("default", seed=1) as fake:
        run = check_result("--base-url", fake.url, "--max-credits", "0", "--profile", "safe")
    assert {row["outcome"] for row in run["checks"]} == {"held"}
    assert run["spent_credits"] == 0
    partly = {row["check"] for row in run["left_out"] if row["reason"].startswith("could cost")}
    assert "test_a_refused_generation_costs_nothing" in partly
    assert not partly & {row["check"].rpartition("::")[2] for row in run["checks"]}
    held = {row["id"] for row in run["promises"] if row["verdict"] == "held"}
    assert {"rivya.error.api_key_missing", "acedata.error.no_token"} <= held


def test_pytest_runs_the_same_suite(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent.parent
    command = [
        sys.executable,
        "-m",
        "pytest",
        "contract_tests",
        "--api",
        "acedata",
        "--quick",
        "-q",
    ]
    done = subprocess.run(
        [*command, "-k", "test_tasks"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_a_run_writes_no_file_into_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", "utf-8")
    check_result(
        "--quick", "--only", "test_rules", "--only", "getCredits", PYTEST_ADDOPTS="--nor-this"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["pytest.ini"]


@pytest.mark.parametrize(
    ("command", "packages"),
    [(MODULE, ["contract_tests", "pytest"]), (SCRIPT, ["contract_tests", "mock_server"])],
)
def test_packages_in_the_caller_s_folder_do_not_replace_the_installed_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], packages: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for package in packages:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError(__file__)", "utf-8")
    (tmp_path / "conftest.py").write_text("raise ImportError(__file__)", "utf-8")
    check("--quick", "--only", "test_models", command=command)
