"""Processes of ours: started in an empty folder, spoken to in JSON lines, never left behind."""

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

from benchmarks.measured import CannotMeasure

_ROOT = Path(__file__).resolve().parent.parent
_FILES_WANTED = 4096
_PATIENCE_S = 20.0


class Worker:
    """A Python process that writes JSON lines to its standard output.

    It sees no settings of the user's, neither their environment's nor a file's.
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

    def tell(self, line: Any) -> None:
        """Write a line to it. Raises CannotMeasure if it has gone."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise CannotMeasure(f"{self.name} ended early: {self.last_words()}") from None

    def hear(self, limit_s: float = _PATIENCE_S) -> Any:
        """Its next line. Raises CannotMeasure if none comes within `limit_s`; then it is killed."""
        assert self.process.stdout is not None
        with self.killed_after(limit_s):
            line = self.process.stdout.readline()
        if not line:
            raise CannotMeasure(f"{self.name} ended or fell silent: {self.last_words()}")
        return json.loads(line)

    def wait(self, limit_s: float = _PATIENCE_S) -> None:
        """Return the moment it has ended; it is killed if that takes longer than `limit_s`."""
        with self.killed_after(limit_s):
            self.process.wait()

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-400:].strip() or "no word of why"

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
        """Have it end, by itself if it will: its standard input closes, SIGTERM, SIGKILL."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.terminate()
        self.wait(5.0)
        self.process.stdout.close()


@contextmanager
def started(arguments: list[str], environment: Mapping[str, str] | None = None) -> Iterator[Worker]:
    """A worker for the length of the block."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as errors:
        worker = Worker(arguments, environment or {}, folder=folder, errors=errors)
        try:
            yield worker
        finally:
            worker.end()


def raise_file_limit() -> None:
    """Let this process and those it starts have thousands of connections, if the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FILES_WANTED:
        wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _clean_environment() -> dict[str, str]:
    """Ours without settings of the fake and of Python: byte code is kept, as in an installation."""
    strange = ("HAILUO_MOCK_", "PYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(strange)}
    return kept | {"PYTHONPATH": str(_ROOT)}
