"""Every command of the manual is executed, here or by a test that is named here."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import httpx2
import pytest
import yaml

from mock_server.__main__ import main as commands
from mock_server.apis import ALL
from mock_server.faults.scenarios import Scenarios
from tests.live import live
from tests.manual.blocks import PRINTED_URL, ROOT, Reader, blocks, misses
from tests.test_readme import needs_curl
from tools.manual import site
from tools.manual.reference import groups

TEXTS = {path.as_posix(): (ROOT / path).read_text("utf-8") for path in site.written_pages()}
WITH_COMMANDS = {
    path: text for path, text in TEXTS.items() if any(each.kind == "sh" for each in blocks(text))
}
ELSEWHERE = {
    "README.md": "tests/test_readme.py",
    "docs/tour.md": "tests/test_readme.py",
    "docs/settings.md": "tests/test_readme.py",
    "docs/install.md": "tools/install/check.py",
    "docs/containers.md": "tools/image/check.py",
    "docs/shards.md": "tests/deploy/test_proxies.py",
    "docs/ci.md": "tests/test_ci_files.py",
    "docs/mcp.md": "tests/test_mcp.py",
    "clients/node/README.md": "tests/test_node_client.py",
    "docs/judge.md": "tests/judge/test_command.py",
    "docs/judge-corpus.md": "tests/judge/test_corpus.py",
    "docs/contract-suite.md": "tests/contract_tests/test_check.py",
    "examples/README.md": "examples/javascript/test_javascript.py",
}
"""Pages whose commands need more than an empty folder, and what executes them, or the same commands
with other clients and servers."""
HERE = sorted(set(WITH_COMMANDS) - set(ELSEWHERE))


@needs_curl
@pytest.mark.parametrize("page", HERE)
def test_the_commands_of_a_page_print_what_it_says(page: str, tmp_path: Path) -> None:
    told = _told(TEXTS[page])
    executed = []
    for block, printed in Reader(tmp_path).read(TEXTS[page]):
        assert misses(printed, told.get(block.text, "")) == [], printed
        executed.append(block)
    assert executed


def test_all_pages_with_commands_are_executed_and_no_other_is_named() -> None:
    assert HERE
    assert set(ELSEWHERE) <= set(WITH_COMMANDS)
    assert [file for file in ELSEWHERE.values() if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("page", sorted(WITH_COMMANDS))
def test_every_command_of_hailuo_mock_has_the_options_that_are_printed(page: str) -> None:
    lines = [
        line
        for block in blocks(TEXTS[page])
        if block.kind == "sh"
        for line in block.text.replace("\\\n", " ").splitlines()
    ]
    unknown = [line for line in lines if (found := _OWN.search(line)) and _unknown(found)]
    assert unknown == []


_OWN = re.compile(r"(?:^|[\s/])hailuo-mock ([a-z]+)((?: [^#]*)?)")


def _unknown(found: re.Match[str]) -> bool:
    """Whether there is no such command, or it lacks an option."""
    name, rest = found.groups()
    command = commands.commands.get(name)
    if command is None:
        return True
    known = {
        text for each in command.params if isinstance(each, click.Option) for text in each.opts
    }
    given = re.findall(r"(?<= )--[a-z][\w-]*", rest.partition(" -- ")[0])
    passes_on = any(
        isinstance(each, click.Argument) and each.nargs == -1 for each in command.params
    )
    return not passes_on and not {*given} <= known | {"--help"}


def test_the_ways_to_install_are_those_of_the_page_that_is_executed() -> None:
    install = TEXTS["docs/install.md"].splitlines()
    lines = [
        line.partition(" hailuo-mock serve")[0]
        for page in HERE
        for block in blocks(TEXTS[page])
        for line in block.text.splitlines()
        if "git.example" in line
    ]
    assert lines
    assert [line for line in lines if not any(each.startswith(line) for each in install)] == []


READ: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "json": json.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "python": lambda text: compile(text, "page", "exec"),
}


@pytest.mark.parametrize("kind", READ)
def test_every_block_of_another_kind_can_be_read(kind: str) -> None:
    found = [
        each.text
        for source in site.sources()
        if isinstance(source[1], str)
        for each in blocks(source[1])
        if each.kind == kind
    ]
    assert found
    for text in found:
        READ[kind](text)


def test_the_printed_scenario_is_one(tmp_path: Path) -> None:
    (text,) = (each.text for each in blocks(TEXTS["docs/scenarios.md"]) if each.kind == "toml")
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    assert Scenarios([tmp_path], ALL).find("mine").apis == ("rivya",)


def test_the_printed_test_with_a_judge_passes(tmp_path: Path) -> None:
    (text,) = (each.text for each in blocks(TEXTS["docs/judge-rules.md"]) if each.kind == "python")
    (start,) = (each.text for each in blocks(TEXTS["docs/start/python.md"]) if each.file)
    client, _, _ = start.replace("def order(", "def order_one_video(").partition("\n\n\ndef test_")
    (tmp_path / "test_judged.py").write_text(f"{client}\n\n\n{text}", "utf-8")
    page = "Text.\n\n```sh\npytest -q test_judged.py\n```\n"
    ((_, printed),) = Reader(tmp_path).read(page)
    assert misses(printed, "1 passed") == []


@needs_curl
def test_a_command_of_each_page_of_a_scenario_is_understood() -> None:
    pages = next(group.pages for group in groups() if group.folder == "scenarios")
    misunderstood = []
    with live() as mock:
        for number, page in enumerate(pages):
            curls = [each.text for each in blocks(page.text) if each.text.startswith("curl")]
            assert len(curls) == 5
            command = curls[number % 5].strip().replace(PRINTED_URL, mock.url)
            done = subprocess.run(
                ["bash", "-c", f"{command} -s --max-time 1 -w '\n%{{http_code}}'"],
                capture_output=True,
                text=True,
                check=False,
            )
            body, _, status = done.stdout.rpartition("\n")
            if "there is no scenario" in body or "is for " in body or status in {"415", "422"}:
                misunderstood.append((page.name, command, body))
            httpx2.post(f"{mock.url}/_mock/worlds/default/reset").raise_for_status()
    assert misunderstood == []


def test_a_command_that_prints_something_else_is_noticed(tmp_path: Path) -> None:
    page = "Text.\n\n```sh\necho one; echo two\n```\n\n```text\ntwo\no…e\n```\n"
    ((block, printed),) = Reader(tmp_path).read(page)
    assert misses(printed, _told(page)[block.text]) == ["o…e"]
    assert misses(printed, "o…e\ntwo") == []


def _told(page: str) -> dict[str, str]:
    """Command -> the block of text right below it."""
    below = re.findall(r"```sh\n(.*?)```\n+```text\n(.*?)```", page, re.DOTALL)
    return dict(below)
