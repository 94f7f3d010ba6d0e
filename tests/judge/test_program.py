"""Other people's programs: none survives the run, none fills the memory, none holds it up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from mock_server.judge import descendants
from mock_server.judge import program as module
from mock_server.judge.program import Program
from mock_server.judge.refusal import CannotRun
from tests.judge.processes import has_ended, is_alive

T = TypeVar("T")
Started = Callable[..., Awaitable[Program]]

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.3)


def run(folder: Path, story: Callable[[Started], Awaitable[T]], limit_s: float = 20) -> T:
    """Runs the story with a function that starts a shell script in this folder."""
    programs: list[Program] = []

    async def started(script: str, mark: str = "") -> Program:
        temporary = str(folder / mark)
        environment = {"PATH": os.environ["PATH"], "TMPDIR": temporary, "FOLDER": str(folder)}
        programs.append(await Program.start(["/bin/sh", "-c", script], environment, "TMPDIR"))
        return programs[-1]

    async def limited() -> T:
        try:
            return await asyncio.wait_for(story(started), limit_s)
        finally:
            for each in programs:
                await each.kill()

    return asyncio.run(limited())


def is_written(file: Path) -> bool:
    return file.exists() and bool(file.read_text().strip())


async def until_written(file: Path) -> None:
    while True:
        if is_written(file):
            return
        await asyncio.sleep(0.01)


def test_the_exit_code_and_the_output_are_known(tmp_path: Path) -> None:
    async def story(started: Started) -> tuple[int, str]:
        program = await started("echo said; echo complained >&2; exit 7")
        code = await program.wait()
        await program.end()
        return code, program.last_output

    assert run(tmp_path, story) == (7, "said\ncomplained\n")


def test_a_signal_that_ended_it_is_its_exit_code(tmp_path: Path) -> None:
    async def story(started: Started) -> int:
        return await (await started("kill -KILL $$")).wait()

    assert run(tmp_path, story) == -9


@pytest.mark.parametrize("escape", ["", "setsid ", "setsid env -i "])
@pytest.mark.parametrize("ends", ["exit 0", "sleep 60"], ids=["parent ends", "parent runs"])
def test_children_that_are_left_behind_are_ended(tmp_path: Path, escape: str, ends: str) -> None:
    if escape and shutil.which("setsid") is None:
        pytest.skip("setsid is not installed")
    child = tmp_path / "child"

    async def story(started: Started) -> bool:
        program = await started(f"{escape}sh -c 'echo $$ > {child}; exec sleep 60' & {ends}")
        if ends == "exit 0":
            await program.wait()  # although the child still has its output
        await until_written(child)
        before = is_alive(child.read_text())
        await program.end()
        return before

    assert run(tmp_path, story) is True
    assert has_ended(child.read_text())


def test_one_that_hides_is_ended_when_no_other_program_runs(tmp_path: Path) -> None:
    if shutil.which("setsid") is None:
        pytest.skip("setsid is not installed")
    hidden, beside = tmp_path / "hidden", tmp_path / "beside"

    async def story(started: Started) -> tuple[bool, bool]:
        other = await started(f"echo $$ > {beside}; exec sleep 60", mark="beside")
        script = f"(setsid env -i sh -c 'echo $$ > {hidden}; exec sleep 60' &); exit 0"
        program = await started(script)
        await program.wait()
        await asyncio.gather(until_written(hidden), until_written(beside))
        await program.end()
        while_other_runs = is_alive(hidden.read_text()), is_alive(beside.read_text())
        await other.end()
        return while_other_runs

    assert run(tmp_path, story) == (True, True)
    assert has_ended(hidden.read_text())


def test_its_group_is_ended_where_processes_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descendants, "_PROCESSES", tmp_path / "none")
    child = tmp_path / "child"

    async def story(started: Started) -> None:
        program = await started("sh -c 'echo $$ > $FOLDER/child; exec sleep 60' & exit 0")
        await program.wait()
        await until_written(child)
        await program.end()

    run(tmp_path, story)
    assert has_ended(child.read_text())


def test_one_that_ignores_being_ended_is_killed(tmp_path: Path) -> None:
    own = tmp_path / "own"

    async def story(started: Started) -> None:
        program = await started("trap '' TERM; echo $$ > $FOLDER/own; while :; do sleep 1; done")
        await until_written(own)
        assert is_alive(own.read_text())
        await program.end()
        assert program.exit_code == -9

    run(tmp_path, story)
    assert has_ended(own.read_text())


def test_one_that_is_asked_to_end_may_clean_up(tmp_path: Path) -> None:
    async def story(started: Started) -> tuple[int | None, str]:
        script = (
            "trap 'echo bye; exit 3' TERM; echo ready > $FOLDER/r; while :; do sleep 0.01; done"
        )
        program = await started(script)
        await until_written(tmp_path / "r")
        await program.end()
        return program.exit_code, program.last_output

    code, output = run(tmp_path, story)
    assert (code, output.endswith("bye\n")) == (3, True)


def test_output_without_end_is_read_and_its_last_lines_are_kept(tmp_path: Path) -> None:
    async def story(started: Started) -> str:
        script = "i=0; while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done; echo the last"
        program = await started(script)
        await program.wait()
        await program.end()
        return program.last_output

    lines = run(tmp_path, story).splitlines()
    assert lines[-1] == "the last"
    assert lines[0].startswith("line ")  # a whole line
    assert 1000 < len("\n".join(lines)) <= 16 * 1024


def test_a_single_line_without_end_is_bounded(tmp_path: Path) -> None:
    async def story(started: Started) -> str:
        program = await started("head -c 3000000 /dev/zero | tr '\\0' x")
        await program.wait()
        await program.end()
        assert len(program._output._kept) <= 64 * 1024
        return program.last_output

    assert 1000 < len(run(tmp_path, story)) <= 16 * 1024


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no-such-program", "there is no command 'no-such-program'"),
        ("not-executable", "is not executable: make it so"),
        ("no-interpreter", "or the program that its first line names is missing"),
        ("no\0name", "cannot be started"),
        ("a-folder", "a-folder' is a folder: name the program"),
        ("", "the name of the command is empty"),
    ],
)
def test_a_command_that_cannot_start_says_why(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "not-executable").write_text("#!/bin/sh\n")
    script = tmp_path / "no-interpreter"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    file = tmp_path / name
    command = str(file) if name and "\0" not in name and file.exists() else name

    async def story() -> None:
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
        await Program.start([command], environment, "TMPDIR")

    with pytest.raises(CannotRun, match=sentence):
        asyncio.run(story())


def test_standard_input_is_empty(tmp_path: Path) -> None:
    async def story(started: Started) -> str:
        program = await started("read line || echo nothing to read")
        await program.wait()
        await program.end()
        return program.last_output

    assert run(tmp_path, story) == "nothing to read\n"


def test_a_start_that_is_cancelled_at_any_step_leaves_nothing(tmp_path: Path) -> None:
    async def start(started: Started) -> None:
        for steps in range(20):
            starting = asyncio.ensure_future(started("sleep 60"))
            for _ in range(steps):
                await asyncio.sleep(0)
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await (await starting).kill()

    open_before = len(list(Path("/proc/self/fd").iterdir()))
    run(tmp_path, start)
    assert not Program._running
    assert len(list(Path("/proc/self/fd").iterdir())) <= open_before
