"""What the README tells people to type works as it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract_hook import breaches

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"```sh\n(.+?)```", README, re.DOTALL)
TOML = re.findall(r"```toml\n(.+?)```", README, re.DOTALL)
PRINTED_URL = "http://127.0.0.1:4010"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def command(start: str) -> str:
    (found,) = [text.strip() for text in COMMANDS if text.startswith(start)]
    return str(found)


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """`make serve`, typed as printed; only the port is a free one."""
    process = subprocess.Popen(
        command("make serve").split(),
        cwd=ROOT,
        env=os.environ | {"HAILUO_MOCK_PORT": "0"} | environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield next(
            json.loads(line)["url"]
            for line in process.stdout
            if line.startswith('{"event":"ready"')
        )
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=20)


def typed(text: str, url: str = "") -> str:
    """What a shell prints for a command of the README, sent to this server."""
    return subprocess.run(
        text.replace(PRINTED_URL, url),
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def answer(text: str, url: str, status: int) -> Any:
    """The JSON a command prints, which must be what the contract says for its path and status."""
    printed = typed(text, url)
    path = text.split()[2].removeprefix(PRINTED_URL)
    json_type = {"content-type": "application/json"}
    assert breaches("POST", path, status, json_type, printed.encode()) == []
    return json.loads(printed)


def documents(printed: str) -> list[Any]:
    """JSON documents printed one right after the other."""
    found, decoder, place = [], json.JSONDecoder(), 0
    while place < len(printed):
        document, place = decoder.raw_decode(printed, place)
        found.append(document)
    return found


def test_the_readme_is_short_and_every_command_in_it_is_known_here() -> None:
    assert len(README.split()) < 900
    starts = [
        "make serve",
        "curl -s http://127.0.0.1:4010/api/v1/generations",
        "curl -s http://127.0.0.1:4010/hailuo/videos",
        "curl -s http://127.0.0.1:4010/api/v1/generations",
        "curl -s http://127.0.0.1:4010/api/v1/generations",
        "for attempt in 1 2",
        "curl -s -X PATCH http://127.0.0.1:4010/_mock/worlds/default/clock",
        "make test",
        ".venv/bin/hailuo-mock config",
    ]
    assert [text[: len(start)] for text, start in zip(COMMANDS, starts, strict=True)] == starts


@needs_curl
def test_the_first_screen_works_as_printed() -> None:
    rivya, acedata, wrong = COMMANDS[1:4]
    with serving() as url:
        assert answer(rivya, url, 200)["status"] == "queued"
        video = answer(acedata, url, 200)
        assert video["data"][0]["state"] == "succeeded"
        message = answer(wrong, url, 400)["error"]["message"]
        assert "/params/prompt_optimiser" in message
        assert "'prompt_optimizer'" in message


@needs_curl
def test_what_is_to_go_wrong_does_as_printed() -> None:
    poor, lost = COMMANDS[4:6]
    with serving() as url:
        assert answer(poor, url, 402)["error"]["code"] == "insufficient_credits"
        nothing, _, task = typed(lost, url).partition("\n")
        assert nothing == "no answer to attempt 1"
        assert json.loads(task)["reserved_credits"] == 57
        account = httpx2.get(f"{url}/_mock/worlds/default/accounts/rivya-test").json()
    assert account["ledger"]["available"] == 1_000_000 - 57


@needs_curl
def test_time_jumps_as_printed() -> None:
    create, jump = COMMANDS[1], COMMANDS[6]
    with serving() as url:
        typed(create, url)
        clock, effects = documents(typed(jump, url))
    assert clock["mode"] == "frozen"
    assert effects["effects"][-1]["what"] == "task_ends"


@needs_curl
def test_the_poor_account_pays_for_one_video_only(tmp_path: Path) -> None:
    file = tmp_path / "poor.toml"
    file.write_text(TOML[0], "utf-8")
    create = next(text for text in COMMANDS if text.startswith("curl"))
    with serving(HAILUO_MOCK_CONFIG=str(file)) as url:
        mine = create.replace("rvya_sk_test", "rvya_sk_poor")
        answers = [answer(mine, url, status) for status in (200, 402)]
    assert answers[0]["reserved_credits"] == 57
    assert answers[1]["error"]["code"] == "insufficient_credits"


def test_the_settings_are_shown_as_a_file() -> None:
    printed = typed(command(".venv/bin/hailuo-mock"))
    assert "\nport = 4010\n" in printed


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert command("make test") in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("verb", re.findall(r"`make (\w+)`", README))
def test_every_verb_the_readme_names_is_there(verb: str) -> None:
    assert typed(f"make --dry-run {verb}")


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert all((ROOT / target).exists() for target in targets)


def test_the_setting_names_it_mentions_exist() -> None:
    settings = json.loads(typed(".venv/bin/hailuo-mock config --json"))
    names = {row["name"] for row in settings}
    mentioned = set(re.findall(r"`((?:tasks|rivya|acedata|limits)\.\w+)`", README))
    assert mentioned
    assert mentioned <= names
