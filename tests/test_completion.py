"""The help of the command, and its completion in a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mock_server.__main__ import main

COMMANDS = Path(sys.executable).parent
TYPED = """
eval "$(hailuo-mock completion bash)"
COMP_WORDS=({words}) COMP_CWORD={place}
_hailuo_mock_completion hailuo-mock
echo "${{COMPREPLY[@]}}"
"""


def test_the_list_of_commands_cuts_no_sentence() -> None:
    _, _, commands = CliRunner().invoke(main, ["--help"]).output.partition("Commands:\n")
    assert len(commands.splitlines()) == len(main.commands)
    assert "..." not in commands


@pytest.mark.parametrize("name", main.commands)
def test_the_help_of_a_command_has_no_sign_of_its_source(name: str) -> None:
    printed = CliRunner().invoke(main, [name, "--help"]).output
    assert printed.startswith("Usage: ")
    assert "\\" not in printed


def test_each_line_for_a_shell_stands_alone() -> None:
    printed = CliRunner().invoke(main, ["completion", "--help"]).output
    assert re.findall(r"^  (~/\S+) +\S", printed, re.MULTILINE) == [
        "~/.bashrc",
        "~/.zshrc",
        "~/.config/fish/config.fish",
    ]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("hailuo-mock se", "serve"),
        ("hailuo-mock comp", "completion"),
        ("hailuo-mock completion f", "fish"),
        ("hailuo-mock serve --tim", "--time-scale"),
    ],
)
def test_bash_completes_commands_options_and_values(words: str, completed: str) -> None:
    script = TYPED.format(words=words, place=len(words.split()) - 1)
    done = subprocess.run(
        ["bash", "-c", script],
        env=os.environ | {"PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"{completed}\n", "")


@pytest.mark.parametrize(
    ("shell", "line"),
    [("zsh", "#compdef hailuo-mock"), ("fish", "complete --no-files --command hailuo-mock")],
)
def test_other_shells_get_their_script(shell: str, line: str) -> None:
    printed = CliRunner().invoke(main, ["completion", shell]).output
    assert line in printed
    assert "_HAILUO_MOCK_COMPLETE" in printed


def test_another_shell_is_refused_with_those_that_are_known() -> None:
    result = CliRunner().invoke(main, ["completion", "csh"])
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr
