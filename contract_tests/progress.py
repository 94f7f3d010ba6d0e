"""How far a run has come, on a terminal only."""

from __future__ import annotations

from typing import TextIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar


class Progress:
    """A pytest plugin that shows a bar, the check under way and the findings so far."""

    def __init__(self, stream: TextIO) -> None:
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
        self._findings = 0

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module of the suite could not be read."""
        if report.failed:
            self._console.print(str(report.longrepr), markup=False)

    @pytest.hookimpl(trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """The checks begin."""
        self._task = self._bar.add_task("", total=len(session.items))
        self._bar.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """One begins."""
        self._show(nodeid.rpartition("::")[2])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One is over."""
        self._findings += report.failed
        if report.when == "teardown" and self._task is not None:
            self._bar.advance(self._task)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """All are over."""
        self._bar.stop()

    def _show(self, check: str) -> None:
        if self._task is not None:
            found = f"[red]{self._findings} broken[/red] " if self._findings else ""
            self._bar.update(self._task, description=found + check.replace("[", "\\["))
