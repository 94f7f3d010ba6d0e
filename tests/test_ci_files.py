"""The actions for GitHub and the snippet for GitLab: their schemas, and what their steps do."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.live import live

ROOT = Path(__file__).parent.parent
COMMANDS = Path(sys.executable).parent
START, KEEP = ROOT / "action.yml", ROOT / ".github" / "actions" / "keep-journal" / "action.yml"
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")
BLOCKS = re.findall(r"```(yaml|sh)\n(.+?)```", PAGE, re.DOTALL)
GITHUB, GITLAB = (yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml")
SHELLCHECK = shutil.which("shellcheck", path=str(COMMANDS))
CREATE = {"model": "hailuo-pro", "prompt": "Dusk"}


@dataclass
class Runner:
    """Runs the `run` steps of actions as a runner of GitHub does."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def run(self, action: Path, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """One step by its name; it must have no expression but those of its `env`."""
        described = yaml.safe_load(action.read_text("utf-8"))
        (step,) = [each for each in described["runs"]["steps"] if each["name"] == name]
        assert "${{" not in step["run"], "an input must not become a part of a script"
        assert step["shell"] == "bash"
        of_inputs = {name: each["default"] for name, each in described["inputs"].items()} | inputs
        environment = {
            name: re.sub(r"\$\{\{ inputs\.(\S+) \}\}", lambda found: of_inputs[found[1]], value)
            for name, value in step["env"].items()
        }
        assert not any("${{" in value for value in environment.values())
        script = self.folder / "step.sh"
        script.write_text(step["run"], "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.folder / "workspace",
            env=self._environment(action) | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.variables |= self._pairs("env")
        self.outputs |= self._pairs("outputs")
        return done

    def _environment(self, action: Path) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if "HAILUO_MOCK" not in name}
        return (
            ours
            | self.variables
            | {
                "RUNNER_TEMP": str(self.folder),
                "GITHUB_ACTION_PATH": str(action.parent),
                "GITHUB_ENV": str(self.folder / "env"),
                "GITHUB_OUTPUT": str(self.folder / "outputs"),
            }
        )

    def _pairs(self, name: str) -> dict[str, str]:
        lines = (self.folder / name).read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner without the environment that the first step makes."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "env").touch()
    (tmp_path / "outputs").touch()
    yield Runner(tmp_path)
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((tmp_path / "hailuo-mock" / "pid").read_text()), signal.SIGKILL)


@pytest.fixture
def installed(runner: Runner) -> Runner:
    """A runner on which the environment of these tests stands for that of the first step."""
    (runner.folder / "hailuo-mock").mkdir()
    for part in COMMANDS.parent.iterdir():
        if part.name in {COMMANDS.name, "lib", "lib64", "pyvenv.cfg"}:
            (runner.folder / "hailuo-mock" / part.name).symlink_to(part)
    return runner


def test_every_file_keeps_its_schema(tmp_path: Path) -> None:
    github, gitlab = tmp_path / "github.yml", tmp_path / "gitlab.yml"
    github.write_text(yaml.safe_dump({"on": "push"} | GITHUB), "utf-8")
    gitlab.write_text(yaml.safe_dump(GITLAB), "utf-8")
    files_of: dict[str, list[Path]] = {
        "github-actions": [START, KEEP],
        "github-workflows": [WORKFLOW, github],
        "gitlab-ci": [gitlab],
    }
    for schema, files in files_of.items():
        command: list[str | Path] = [
            COMMANDS / "check-jsonschema",
            "--builtin-schema",
            f"vendor.{schema}",
            *files,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout


def scripts() -> Iterator[tuple[str, str]]:
    """Every script of the actions, the workflow and the job of GitLab, with its place."""
    for action in (START, KEEP):
        for step in yaml.safe_load(action.read_text("utf-8"))["runs"]["steps"]:
            yield f"{action.parent.name}: {step['name']}", step.get("run", "")
    for name, job in yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"].items():
        for step in job["steps"]:
            yield name, re.sub(r"\$\{\{.+?\}\}", "X", step.get("run", ""))
    for line in (*GITLAB["test"]["script"], *GITLAB["test"]["after_script"]):
        yield "GitLab", line


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck has no package for this machine")
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    files = {tmp_path / f"{number}.sh": each for number, each in enumerate(scripts())}
    for file, (_, script) in files.items():
        file.write_text(script, "utf-8")
    done = subprocess.run(
        [str(SHELLCHECK), "--shell=bash", "--exclude=SC2153", "--format=json1", *files],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    found = json.loads(done.stdout)["comments"]
    assert len(files) > 10
    assert [(files[Path(each["file"])][0], each["message"]) for each in found] == []


def test_the_action_starts_a_server_and_tells_later_steps_its_url_and_keys(
    installed: Runner,
) -> None:
    started = installed.run(START, "Start hailuo-mock", port="0", arguments="--seed 77")
    assert started.returncode == 0, started.stdout + started.stderr
    url = installed.variables["HAILUO_MOCK_URL"]
    assert started.stdout == f"hailuo-mock answers at {url}\n"
    assert httpx2.get(f"{url}/_mock/version").json()["seed"] == 77
    assert installed.outputs == {
        "url": url,
        "rivya-key": "rvya_sk_test",
        "acedata-token": "test-token",
    }
    assert installed.variables == {
        "HAILUO_MOCK_URL": url,
        "RIVYA_API_KEY": "rvya_sk_test",
        "ACEDATA_TOKEN": "test-token",
    }


def test_outputs_of_the_action_are_those_of_its_step() -> None:
    outputs = yaml.safe_load(START.read_text("utf-8"))["outputs"]
    assert {name: each["value"] for name, each in outputs.items()} == {
        name: f"${{{{ steps.start.outputs.{name} }}}}"
        for name in ("url", "rivya-key", "acedata-token")
    }


def test_a_server_that_does_not_start_fails_the_step_with_its_log(installed: Runner) -> None:
    failed = installed.run(START, "Start hailuo-mock", arguments="--time-scale never")
    assert failed.returncode == 1
    assert "::error title=hailuo-mock::" in failed.stdout
    assert "flag --time-scale: time_scale: Expected a number, not 'never'" in failed.stdout
    assert installed.variables == {}


def test_flags_are_words_and_never_run_as_a_script(installed: Runner) -> None:
    failed = installed.run(START, "Start hailuo-mock", arguments="--seed $(touch made); touch made")
    assert failed.returncode == 1
    assert list((installed.folder / "workspace").iterdir()) == []


@pytest.mark.parametrize("token", [None, "secret"])
def test_the_journal_the_log_and_the_receipt_are_kept(installed: Runner, token: str | None) -> None:
    if token is not None:
        installed.variables["HAILUO_MOCK_CONTROL_TOKEN"] = token
    started = installed.run(START, "Start hailuo-mock", port="0")
    assert started.returncode == 0, started.stdout
    url, key = (installed.variables[name] for name in ("HAILUO_MOCK_URL", "RIVYA_API_KEY"))
    headers = {"authorization": f"Bearer {key}"}
    httpx2.post(f"{url}/api/v1/generations", json=CREATE, headers=headers)
    httpx2.post(
        f"{url}/_mock/worlds",
        json={"name": "other"},
        headers={} if token is None else {"mock-control-token": token},
    )
    (installed.folder / "workspace" / "judge.html").write_text("a receipt", "utf-8")
    kept = installed.run(KEEP, "Collect the journal")
    assert kept.returncode == 0, kept.stdout + kept.stderr

    folder = installed.folder / "hailuo-mock" / "kept"
    names = {path.name for path in folder.iterdir()}
    assert names == {"default.har", "other.har", "judge.html", "server.log"}
    (entry,) = json.loads((folder / "default.har").read_text("utf-8"))["log"]["entries"]
    assert entry["request"]["url"] == f"{url}/api/v1/generations"
    assert not any(key in path.read_text("utf-8") for path in folder.iterdir())


def test_the_page_and_the_second_action_use_the_folders_that_the_actions_make() -> None:
    upload = yaml.safe_load(KEEP.read_text("utf-8"))["runs"]["steps"][-1]
    assert upload["with"]["path"] == "${{ runner.temp }}/hailuo-mock/kept"
    uses = [step["uses"] for step in GITHUB["jobs"]["test"]["steps"] if "uses" in step]
    _, start, keep = uses
    repository, _, version = start.partition("@")
    assert keep == f"{repository}/{KEEP.parent.relative_to(ROOT).as_posix()}@{version}"
    listed = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \|", PAGE, re.MULTILINE)
    assert [name for _, name in listed] == [*yaml.safe_load(START.read_text("utf-8"))["outputs"]]


@pytest.mark.skipif("CI" not in os.environ, reason="installs packages, in CI only")
def test_the_first_step_installs_the_server_of_the_action(runner: Runner) -> None:
    done = runner.run(START, "Install hailuo-mock", python=sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
    started = runner.run(START, "Start hailuo-mock", port="0")
    assert started.returncode == 0, started.stdout + started.stderr
    assert httpx2.get(f"{runner.variables['HAILUO_MOCK_URL']}/_mock/ready").status_code == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_job_of_gitlab_keeps_its_journal(tmp_path: Path) -> None:
    variables: dict[str, str] = GITLAB["test"]["variables"]
    with live(control_token=variables["HAILUO_MOCK_CONTROL_TOKEN"]) as mock:
        headers = {"authorization": f"Bearer {variables['RIVYA_API_KEY']}"}
        httpx2.post(f"{mock.url}/api/v1/generations", json=CREATE, headers=headers)
        for line in GITLAB["test"]["after_script"]:
            subprocess.run(
                ["bash", "-c", line],
                cwd=tmp_path,
                env=os.environ | variables | {"HAILUO_MOCK_URL": mock.url},
                check=True,
                timeout=60,
            )
    (name, _) = GITLAB["test"]["artifacts"]["paths"]
    assert len(json.loads((tmp_path / name).read_text("utf-8"))["log"]["entries"]) == 1


def test_the_variables_of_the_job_of_gitlab_do_not_keep_its_service_from_starting() -> None:
    variables: dict[str, Any] = GITLAB["test"]["variables"]
    command = [sys.executable, "-m", "mock_server", "config"]
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert 'callback_hosts = ["build"]' in done.stdout


def test_the_lines_for_other_machines_wait_for_the_server(tmp_path: Path) -> None:
    (script,) = [text for kind, text in BLOCKS if kind == "sh"]
    done = subprocess.run(
        ["bash", "-c", script + 'echo "$line"; kill %1'],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{COMMANDS}:{os.environ['PATH']}", "HAILUO_MOCK_PORT": "0"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["event"] == "ready"
