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

with stop_signals.stopped_by_signals({stop}, clean_up):
    print("ready", flush=True)
    while True:
        pass
"""

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@contextmanager
def busy(
    folder: Path, *, stop: str = "stop", grace_s: float = GRACE_S
) -> Iterator[subprocess.Popen[str]]:
    """A program whose main thread never ends; `stop` is the function that a signal calls."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(stop=stop), str(grace_s)],
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
def test_a_busy_main_thread_does_not_keep_the_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    with busy(tmp_path) as process:
        assert stopped_after_s(process, number) < GRACE_S + ALLOWANCE_S
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


def test_the_system_ends_a_process_in_which_no_python_runs_any_more(tmp_path: Path) -> None:
    with busy(tmp_path, stop="hold_the_interpreter") as process:
        assert stopped_after_s(process, signal.SIGTERM) < 1 + ALLOWANCE_S
        assert process.returncode == -signal.SIGALRM


def test_the_end_of_the_terminal_stops_the_server_in_good_order() -> None:
    with serving() as (process, _):
        assert stopped_after_s(process, signal.SIGHUP) < GRACE_S + ALLOWANCE_S
        assert process.returncode == 0


def test_nohup_keeps_its_promise(tmp_path: Path) -> None:
    program = (
        "import signal; from mock_server.server.stop_signals import stopped_by_signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with stopped_by_signals(lambda: None, lambda: None):\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )
    assert ended.stdout == "True\n"


def test_a_signal_while_python_is_taken_down_does_not_decide_the_exit_code(tmp_path: Path) -> None:
    """Python forgets its handlers at a moment when no test can run; what is ignored stays so."""
    program = (
        "import signal; from mock_server.server.stop_signals import stopped_by_signals\n"
        "with stopped_by_signals(lambda: None, lambda: None):\n"
        "    pass\n"
        "print(signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )
    assert ended.stdout == "True\n"
