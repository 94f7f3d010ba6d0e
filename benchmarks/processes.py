"""Starts Python processes in an empty folder, exchanges JSON lines with them, and ends them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from benchmarks.figures import CannotMeasure

_ROOT = Path(__file__).resolve().parent.parent
_FILES_WANTED = 4096
_TIMEOUT_S = 20.0


class Worker:
    """A Python process that writes JSON lines to its standard output.

    It gets no settings of the user, neither from the environment nor from a file.
    """

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        *,
        folder: str,
        errors: IO[bytes],
    ) -> None:
        """Start `python ARGUMENTS` in `folder`; its standard error goes to `errors`."""
        self.name = " ".join(arguments[:2])
        self._errors = errors
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=folder,
            env=_clean_environment() | dict(environment),
        )

    def send(self, line: Any) -> None:
        """Send a line to it. Raises CannotMeasure if it has ended."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise CannotMeasure(f"{self.name} ended early: {self.stderr_end()}") from None

    def receive(self, limit_s: float = _TIMEOUT_S) -> Any:
        """Its next line. Raises CannotMeasure if none comes within `limit_s`, and kills it."""
        assert self.process.stdout is not None
        with self.killed_after(limit_s):
            line = self.process.stdout.readline()
        if not line:
            raise CannotMeasure(f"{self.name} ended or sent no line: {self.stderr_end()}")
        return json.loads(line)

    def wait(self, limit_s: float = _TIMEOUT_S) -> None:
        """Return when it has ended. It is killed after `limit_s`."""
        with self.killed_after(limit_s):
            self.process.wait()

    def stderr_end(self) -> str:
        """The end of what it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-400:].strip() or "no message"

    @contextmanager
    def killed_after(self, limit_s: float) -> Iterator[None]:
        """Kill the process if the block takes longer."""
        timer = threading.Timer(limit_s, self.process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def end(self) -> None:
        """End it: close its standard input, then send SIGTERM, then SIGKILL."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.terminate()
        self.wait(5.0)
        self.process.stdout.close()


@contextmanager
def started(arguments: list[str], environment: Mapping[str, str] | None = None) -> Iterator[Worker]:
    """Start a worker. It ends with the block."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        worker = Worker(arguments, environment or {}, folder=folder, errors=errors)
        try:
            yield worker
        finally:
            worker.end()


def raise_file_limit() -> None:
    """Allow thousands of connections for this process and those it starts, if the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES_WANTED:
        wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _clean_environment() -> dict[str, str]:
    """The environment without settings of the fake and of Python, so that byte code is cached."""
    removed = ("HAILUO_MOCK_", "PYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(removed)}
    return kept | {"PYTHONPATH": str(_ROOT)}
