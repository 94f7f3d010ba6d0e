"""The command: what it says, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from contract_tests.fakes import COMMAND, KEYS, RunningFake

LONGEST_S = 240
IDLE = {
    "rivya.error.internal_error",  # nobody can make a server break
    "rivya.error.more-codes",  # promises of what may come
    "acedata.error.more-codes",
    "rivya.answer.RivyaServerFault",
    "rivya.Model.params[].description",  # the list leaves it out, and may
}


def check(*arguments: str, code: int = 0, **environment: str) -> tuple[str, str]:
    """What `hailuo-mock check` says on stdout and stderr."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("HAILUO_", "PYTEST"))}
    done = subprocess.run(
        [sys.executable, "-m", "mock_server", "check", *arguments],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout, done.stderr


def told(*arguments: str, code: int = 0, **environment: str) -> dict[str, Any]:
    """The result for machines."""
    found: dict[str, Any] = json.loads(check("--json", *arguments, code=code, **environment)[0])
    return found


def broken(name: str) -> dict[str, str]:
    return {COMMAND: f"{sys.executable} -m contract_tests.broken serve {name}"}


def test_the_fake_keeps_every_promise_that_can_be_checked() -> None:
    run = told("--quick")
    assert run["findings"] == []
    silent = {row["id"] for row in run["promises"] if row["verdict"] == "not checked"}
    assert silent == IDLE
    assert run["reached"]["operations"] == run["reached"]["of_operations"]


def test_it_works_without_a_control_door() -> None:
    run = told(
        "--no-control-door", "--only", "test_life", "--only", "test_modes", "--only", "callb"
    )
    assert run["findings"] == []
    held = {row["id"] for row in run["promises"] if row["verdict"] == "held"}
    assert {"rivya.rule.failure-gives-back", "acedata.rule.callback-comes-once"} <= held


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("rivya/reserved-is-a-string", "rivya.Generation.reserved_credits"),
        ("rivya/idempotency-is-ignored", "rivya.rule.replay-is-one-task"),
        ("rivya/strangers-see-generations", "rivya.rule.foreign-as-unknown"),
        ("acedata/pending-is-null", "acedata.rule.pending-is-empty"),
        ("acedata/callbacks-come-twice", "acedata.rule.callback-of-failure"),
    ],
)
def test_a_broken_server_is_caught_with_a_request_that_shows_it(name: str, promise: str) -> None:
    run = told("--api", name.partition("/")[0], "--stop-early", "--quick", code=1, **broken(name))
    findings = {finding["id"]: finding for finding in run["findings"]}
    assert promise in findings
    finding = findings[promise]
    assert finding["curl"].startswith("curl -s -i")
    assert {"expected", "got", "seed", "blame", "source"} <= finding.keys()


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
    assert list(ET.parse(tmp_path / "junit.xml").getroot().iter("testcase"))
    lines = [json.loads(line) for line in (tmp_path / "run.ndjson").read_text("utf-8").splitlines()]
    assert {"run", "promise", "check", "exchange"} <= {line["row"] for line in lines}
    assert "<h1>The contract holds</h1>" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--base-url", "https://rivya.ai", "--api-key", "k"), "--live"),
        (("--base-url", "https://api.acedata.cloud/", "--api-key", "k"), "--live"),
        (("--base-url", "http://staging.invalid", "--api", "rivya"), "HAILUO_CHECK_API_KEY"),
        (("--base-url", "http://127.0.0.1:9"), "nobody answers"),
        (("--base-url", "127.0.0.1:9"), "must begin with http"),
        (("--base-url", "http://[::1"), "must be a URL"),
        (("--base-url", "http://h:99999"), "must be a URL"),
        (("--base-url", "http://127.0.0.1:9", "--against", "fake"), "two servers"),
        (("--max-credits", "-1"), "less than 0"),
        (("--max-credit", "5"), "--max-credits"),
        (("--only", "no-check-has-this-name"), ""),
    ],
)
def test_what_cannot_run_ends_with_2_and_says_why(arguments: tuple[str, ...], words: str) -> None:
    out, err = check(*arguments, code=2)
    assert words in out + err


def test_a_budget_is_planned_kept_and_accounted_for() -> None:
    with RunningFake("default", seed=1) as fake:
        run = told("--api", "rivya", "--base-url", fake.url, "--max-credits", "57")
    assert run["planned_credits"] == 30
    assert run["spent_credits"] == 30
    reasons = {row["reason"] for row in run["left_out"]}
    assert "costs 57 credits" in reasons
    held = {row["id"] for row in run["promises"] if row["verdict"] == "held"}
    assert {"rivya.rule.create-takes-the-price", "rivya.rule.refuses-what-is-invalid"} <= held


def test_without_credits_everything_free_is_checked() -> None:
    with RunningFake("default", seed=1) as fake:
        run = told("--base-url", fake.url, "--max-credits", "0", "--profile", "safe")
    assert run["findings"] == []
    assert run["spent_credits"] == 0
    held = {row["id"] for row in run["promises"] if row["verdict"] == "held"}
    assert {"rivya.error.api_key_missing", "acedata.error.no_token"} <= held


def test_the_same_suite_is_plain_pytest(tmp_path: Path) -> None:
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


def test_nothing_is_left_in_the_caller_s_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", "utf-8")
    told("--quick", "--only", "test_rules", "--only", "getCredits", PYTEST_ADDOPTS="--nor-this")
    assert [path.name for path in tmp_path.iterdir()] == ["pytest.ini"]
