"""A signal ends the process in time, whatever the main thread is busy with."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mock_server.server.stop_signals import GRACE_S
from tests.server.test_serve import ALLOWANCE_S, serving, stopped_after_s

PROGRAM = """
import re, sys
from pathlib import Path
from mock_server.server import stop_signals

stop_signals.GRACE_S = float(sys.argv[1])

def stop():
    print("told to stop", flush=True)

def hold_the_interpreter():
    re.match("^(a+)+$", "a" * 60 + "!")  # nothing in Python runs meanwhile

def clean_up():
    Path("cleaned_up").touch()

with stop_signals.stopped_by_signals({stop}, clean_up, with_stdin={with_stdin}):
    print("ready", flush=True)
    while True:
        pass
"""

pytestmark = pytest.mark.usefixtures("default_signals")
SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@contextmanager
def busy(
    folder: Path, *, stop: str = "stop", grace_s: float = GRACE_S, with_stdin: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """A program whose main thread never ends; `stop` is the function that a signal calls."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(stop=stop, with_stdin=with_stdin), str(grace_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_busy_main_thread_does_not_delay_the_end(tmp_path: Path, number: signal.Signals) -> None:
    with busy(tmp_path) as process:
        assert stopped_after_s(process, number) < GRACE_S + ALLOWANCE_S
        assert process.returncode == 0
    assert (tmp_path / "cleaned_up").exists()


def test_a_busy_main_thread_does_not_delay_the_end_with_stdin(tmp_path: Path) -> None:
    with busy(tmp_path, with_stdin=True) as process:
        process.communicate(timeout=GRACE_S + ALLOWANCE_S)  # it closes stdin
        assert process.returncode == 0
    assert (tmp_path / "cleaned_up").exists()


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    with busy(tmp_path, grace_s=60) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "told to stop\n"
        assert stopped_after_s(process, signal.SIGTERM) < ALLOWANCE_S
        assert process.returncode == 0
    assert (tmp_path / "cleaned_up").exists()


def test_the_system_ends_a_process_that_runs_no_python_code(tmp_path: Path) -> None:
    with busy(tmp_path, stop="hold_the_interpreter") as process:
        assert stopped_after_s(process, signal.SIGTERM) < 1 + ALLOWANCE_S
        assert process.returncode == -signal.SIGALRM


def test_a_closed_terminal_stops_the_server_with_exit_code_0() -> None:
    with serving() as (process, _):
        assert stopped_after_s(process, signal.SIGHUP) < GRACE_S + ALLOWANCE_S
        assert process.returncode == 0


def test_nohup_still_protects_the_process() -> None:
    assert (
        printed(
            "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "with stopped_by_signals(lambda: None, lambda: None):\n"
            "    signal.raise_signal(signal.SIGHUP)\n"
            "    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)\n"
        )
        == "True\n"
    )


def test_a_signal_at_the_end_of_python_does_not_change_the_exit_code() -> None:
    """Python removes its handlers when no test can run. What is ignored then stays ignored."""
    assert (
        printed(
            "with stopped_by_signals(lambda: None, lambda: None):\n"
            "    pass\n"
            "print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)\n"
        )
        == "True\n"
    )


def printed(program: str) -> str:
    """What a program prints in a process of its own."""
    imports = "import signal; from mock_server.server.stop_signals import stopped_by_signals\n"
    return subprocess.run(
        [sys.executable, "-c", imports + program],
        capture_output=True, text=True, check=True, timeout=20,
    ).stdout  # fmt: skip
