"""The commands of the README, the tour and the page of settings work as they say."""

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
PAGES = {
    path: path.read_text("utf-8")
    for path in (ROOT / "README.md", ROOT / "docs" / "tour.md", ROOT / "docs" / "settings.md")
}
README, TOUR, SETTINGS = PAGES.values()
COMMANDS, TOUR_COMMANDS, SETTINGS_COMMANDS = (
    re.findall(r"```sh\n(.+?)```", page, re.DOTALL) for page in PAGES.values()
)
TOML = re.findall(r"```toml\n(.+?)```", TOUR, re.DOTALL)
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
    assert len(README.split()) < 700
    create = "curl -s http://127.0.0.1:4010/api/v1/generations"
    video = "curl -s http://127.0.0.1:4010/hailuo/videos"
    clock = "curl -s -X PATCH http://127.0.0.1:4010/_mock/worlds/default/clock"
    for commands, starts in [
        (COMMANDS, ["make serve", create, create, "pip install .", create, "make test"]),
        (TOUR_COMMANDS, [video, "for attempt in 1 2", clock, video, ".venv/bin/hailuo-mock"]),
        (SETTINGS_COMMANDS, [".venv/bin/hailuo-mock init"]),
    ]:
        pairs = zip(commands, starts, strict=True)
        assert [text[: len(start)] for text, start in pairs] == starts


def test_the_first_screen_has_a_start_a_call_an_error_and_a_picture() -> None:
    screen, _, _ = README.partition("\n## ")
    assert len(re.findall("```sh", screen)) == 3
    (picture,) = re.findall(r"!\[.+?\]\((.+?)\)", screen)
    assert (ROOT / picture).read_bytes().startswith(b"\x89PNG")


def test_the_ways_to_install_are_those_of_the_page_that_is_executed() -> None:
    lines = next(text for text in COMMANDS if text.startswith("pip install")).splitlines()
    page = (ROOT / "docs" / "install.md").read_text("utf-8").splitlines()
    assert [line.partition("  #")[0].rstrip() for line in lines] == [
        line for line in page if re.match("pip install|uvx|pipx install git", line)
    ]


@needs_curl
def test_the_first_screen_works_as_printed() -> None:
    rivya, wrong = COMMANDS[1:3]
    with serving() as url:
        assert answer(rivya, url, 200)["status"] == "queued"
        video = answer(TOUR_COMMANDS[0], url, 200)
        assert video["data"][0]["state"] == "succeeded"
        message = answer(wrong, url, 400)["error"]["message"]
        assert "/params/prompt_optimiser" in message
        assert "'prompt_optimizer'" in message


@needs_curl
def test_the_printed_faults_happen() -> None:
    poor, lost = COMMANDS[4], TOUR_COMMANDS[1]
    with serving() as url:
        assert answer(poor, url, 402)["error"]["code"] == "insufficient_credits"
        nothing, _, task = typed(lost, url).partition("\n")
        assert nothing == "no answer to attempt 1"
        assert json.loads(task)["reserved_credits"] == 57
        account = httpx2.get(f"{url}/_mock/worlds/default/accounts/rivya-test").json()
    assert account["ledger"]["available"] == 1_000_000 - 57


@needs_curl
def test_a_printed_callback_is_in_its_inbox() -> None:
    *_, create = (text for text in TOUR_COMMANDS if "inbox" in text)
    with serving() as url:
        made, _, inbox = documents(typed(create, url))
    (received,) = inbox["requests"]
    assert json.loads(received["body"])["task_id"] == made["task_id"]


@needs_curl
@pytest.mark.parametrize(("scenario", "callbacks"), [("delivery_never", 0), ("delivery_twice", 2)])
def test_the_scenarios_of_callbacks_do_what_the_tour_says(scenario: str, callbacks: int) -> None:
    assert f"`test-token+{scenario}`" in TOUR
    *_, create = (text for text in TOUR_COMMANDS if "inbox" in text)
    with serving() as url:
        *_, inbox = documents(typed(create.replace("test-token", f"test-token+{scenario}"), url))
    assert len(inbox["requests"]) == callbacks


@needs_curl
def test_the_printed_advances_work() -> None:
    create, jump = COMMANDS[1], TOUR_COMMANDS[2]
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
    init, config = SETTINGS_COMMANDS[0].splitlines()
    assert init.endswith(" init")
    assert "\nport = 4010\n" in typed(config)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert command("make test") in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("verb", re.findall(r"`make (\w+)`", README))
def test_every_verb_the_readme_names_is_there(verb: str) -> None:
    assert typed(f"make --dry-run {verb}")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", PAGES[page])
    assert targets or page.name == "tour.md"
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_setting_names_it_mentions_exist() -> None:
    settings = json.loads(typed(".venv/bin/hailuo-mock config --json"))
    names = {row["name"] for row in settings}
    mentioned = set(re.findall(r"`((?:tasks|clock|rivya|acedata|limits)\.\w+)`", SETTINGS))
    assert mentioned
    assert mentioned <= names
