"""A server with a state file, in a process of its own that is killed without warning."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from contract_tests.broken.forked import FORKS
from mock_server.__main__ import main

_READY_S = 30


@dataclass(frozen=True)
class Death:
    """When the process kills itself. before_commit, after_commit: at the n-th commit from its
    start, before or after the file has it; 0: never. most_pages: how many pages of the file there
    is room for; 0: any number."""

    before_commit: int = 0
    after_commit: int = 0
    most_pages: int = 0


NO_DEATH = Death()


@dataclass(frozen=True)
class DoomedServer:
    """A running server. url: "" if it ended before it was ready. log: what it wrote to stderr."""

    url: str
    log: Path
    _process: Any

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self._process.kill()

    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return not self._process.is_alive()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code; -9 if it was killed; None if it still runs after the time."""
        self._process.join(timeout_s)
        code: int | None = self._process.exitcode
        return code


@contextmanager
def doomed_server(
    state: Path, *options: str, death: Death = NO_DEATH, wait: bool = True
) -> Iterator[DoomedServer]:
    """A server on a free port with its state in a file. wait: until it is ready or has ended."""
    reads, writes = FORKS.Pipe(duplex=False)
    log = state.with_suffix(".log")
    arguments = ("serve", "--port", "0", "--log-level", "warning", "--state", str(state), *options)
    process = FORKS.Process(target=_serve, args=(writes, str(log), arguments, death))
    process.start()
    writes.close()
    try:
        yield DoomedServer(_url_in(reads) if wait else "", log, process)
    finally:
        process.kill()
        process.join()
        reads.close()


def _url_in(reads: Connection) -> str:
    """The URL in the ready line; "" if the process ends before it."""
    line, ends_s = b"", time.monotonic() + _READY_S
    while not line.endswith(b"\n"):
        left_s = ends_s - time.monotonic()
        if left_s <= 0 or not select.select([reads], [], [], left_s)[0]:
            raise TimeoutError(f"the server was not ready within {_READY_S} s")
        part = os.read(reads.fileno(), 4096)
        if not part:
            return ""
        line += part
    url: str = json.loads(line)["url"]
    return url


def _serve(writes: Connection, log: str, arguments: tuple[str, ...], death: Death) -> None:
    os.dup2(writes.fileno(), 1)
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    _meet(death)
    with contextlib.suppress(KeyboardInterrupt):
        main(arguments)


def _meet(death: Death) -> None:
    """Make every connection to SQLite of this process die as told."""
    if death == NO_DEATH:
        return
    connect, commits = sqlite3.connect, count(1)

    @contextmanager
    def committing() -> Iterator[None]:
        number = next(commits)
        if number == death.before_commit:
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        if number == death.after_commit:
            os.kill(os.getpid(), signal.SIGKILL)

    class Doomed(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            is_commit = sql.lstrip()[:6].upper() in {"COMMIT", "END"}
            with committing() if is_commit else nullcontext():
                return super().execute(sql, *values)

        def commit(self) -> None:
            with committing():
                super().commit()

        def __exit__(self, *error: Any) -> Any:
            with committing():
                return super().__exit__(*error)

    def connected(*values: Any, **options: Any) -> sqlite3.Connection:
        opened: sqlite3.Connection = connect(*values, **(options | {"factory": Doomed}))
        if death.most_pages:
            opened.execute(f"pragma max_page_count = {death.most_pages}")
        return opened

    sqlite3.connect = connected  # type: ignore[assignment]  # in a process of its own
