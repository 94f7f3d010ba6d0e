"""Shows the progress of a run: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from typing import TextIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

_FIRST_LINE_S = 10.0
_BETWEEN_LINES_S = 30.0


class Progress:
    """A pytest plugin that shows the running check and the number of checks and findings."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._console = console = Console(file=stream)
        self._bar = Bar(
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._findings = self._done = self._total = 0
        self._check = ""
        self._is_over = threading.Event()
        self._began_s = time.monotonic()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Print the error if a module of the suite could not be imported."""
        if report.failed:
            self._console.print(str(report.longrepr), markup=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Start the bar, or the thread that prints lines."""
        self._total = len(session.items)
        self._began_s = time.monotonic()
        self._task = self._bar.add_task("", total=self._total)
        self._bar.start()
        if not self._console.is_terminal:
            threading.Thread(target=self._print_lines, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Show the check that starts."""
        self._check = nodeid.rpartition("::")[2]
        self._show()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the check that ended."""
        self._findings += report.failed
        if report.when == "teardown" and self._task is not None:
            self._done += 1
            self._bar.advance(self._task)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Stop the bar and the lines."""
        self._is_over.set()
        self._bar.stop()

    def _show(self) -> None:
        if self._task is not None:
            found = f"[red]{self._findings} broken[/red] " if self._findings else ""
            self._bar.update(self._task, description=found + self._check.replace("[", "\\["))

    def _print_lines(self) -> None:
        wait_s = _FIRST_LINE_S
        while not self._is_over.wait(wait_s):
            wait_s = _BETWEEN_LINES_S
            passed_s = time.monotonic() - self._began_s
            print(
                f"hailuo-mock check: {passed_s:.0f} s, {self._done} of {self._total} checks, "
                f"{self._findings} broken; now {self._check}",
                file=self._stream,
                flush=True,
            )
