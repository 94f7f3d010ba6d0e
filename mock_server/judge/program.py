"""Runs another program: in a process group of its own, with bounded output, and ends all of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from mock_server.judge.descendants import adopt_orphans, descendants_of, has_variable
from mock_server.judge.refusal import CannotRun

GRACE_S = 2.0
"""Real seconds from SIGTERM to SIGKILL."""

_KEPT_BYTES = 16 * 1024
_OUTPUT_WAIT_S = 0.5
_ROUNDS = 20


class Process(Protocol):
    """A process that was started. returncode: None: it runs."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """Its exit code; negative: the number of the signal that ended it."""

    async def wait(self) -> int:
        """Its exit code, when it has ended."""

    def kill(self) -> None:
        """End it at once."""


Spawn = Callable[[Sequence[str], Mapping[str, str], int], Awaitable[Process]]
"""Starts a process with arguments, environment and a file descriptor for all of its output; its
standard input is empty, and it is the leader of a new session. Raises OSError and ValueError."""


async def execute(argv: Sequence[str], env: Mapping[str, str], output: int) -> Process:
    """A `Spawn` that executes a program of this machine."""
    return await asyncio.create_subprocess_exec(
        *argv,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        # A pipe of asyncio's own would keep `wait` from returning while a child has it.
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


class Program:
    """A running command. Its standard input is empty; the end of its output is kept.

    `end` or `kill` must be awaited in the end: they also end the processes that it has started.
    """

    _running: ClassVar[set[object]] = set()
    """One value for each program that was started and is not over."""
    _older: ClassVar[set[int]] = set()
    """The processes below this one that were there before the first of those was started."""

    def __init__(self, process: Process, output: _Output, mark: bytes, entry: object) -> None:
        """mark: a variable and its value that only this program and its children have.
        entry: its value in `_running`."""
        self._process = process
        self._output = output
        self._mark = mark
        self._entry = entry

    @classmethod
    async def start(
        cls, argv: Sequence[str], env: Mapping[str, str], mark: str, spawn: Spawn = execute
    ) -> Program:
        """Start a command in the current folder. mark: the name of a variable in `env` whose value
        no other program has. Raises CannotRun."""
        adopt_orphans()
        if not cls._running:
            cls._older = descendants_of(os.getpid())
        cls._running.add(entry := object())
        read_end, write_end = os.pipe()
        output = None
        try:
            output = await _Output.of(read_end)
            process = await spawn(argv, env, write_end)
        except BaseException as error:
            cls._running.discard(entry)
            if output is not None:
                output.close()
            if isinstance(error, (OSError, ValueError)):
                raise CannotRun(_why_not(argv[0], error)) from None
            raise
        finally:
            os.close(write_end)
        return cls(process, output, f"{mark}={env[mark]}".encode(), entry)

    @property
    def last_output(self) -> str:
        """The last lines of its output, standard error included."""
        return self._output.text

    @property
    def exit_code(self) -> int | None:
        """Its exit code; negative: the number of the signal that ended it; None: it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Its exit code, when it has ended; its children may still run."""
        return await self._process.wait()

    async def end(self) -> None:
        """End it and its children: at first by SIGTERM, after GRACE_S by SIGKILL."""
        try:
            if self.exit_code is None:
                self._signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.wait(), GRACE_S)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End it and its children at once; returns when it has ended."""
        below = descendants_of(self._process.pid)
        self._signal(_KILL)
        self._end_all(lambda each: each in below or has_variable(each, self._mark))
        try:
            await self.wait()
            await self._output.wait_for_end()
        finally:
            self._output.close()
            self._running.discard(self._entry)
            if not self._running:
                # One that has emptied its environment may be of any program.
                self._end_all(lambda _: True)

    def _end_all(self, is_meant: Callable[[int], bool]) -> None:
        """End the processes below this one that are meant and came from programs."""
        for _ in range(_ROUNDS):  # one that is starting children may do so between two rounds
            below = descendants_of(os.getpid(), self._older) - {self._process.pid}
            meant = [each for each in below if is_meant(each)]
            for number in meant:
                with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
                    os.kill(number, _KILL)
                    os.waitpid(number, 0)  # fails unless it has been adopted
            if not meant:
                return

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            elif self.exit_code is None:
                self._process.kill()


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class _Output(asyncio.Protocol):
    """Reads a pipe to its end and keeps the last bytes."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._ended = asyncio.Event()
        self._transport: asyncio.BaseTransport | None = None

    @classmethod
    async def of(cls, read_end: int) -> _Output:
        """Reads this pipe, and closes it in the end."""
        pipe = os.fdopen(read_end, "rb", buffering=0)
        _, output = await asyncio.get_running_loop().connect_read_pipe(cls, pipe)
        return output

    @property
    def text(self) -> str:
        """What was kept, without a first line that is not whole."""
        kept = bytes(self._kept[-_KEPT_BYTES:])
        if len(self._kept) > _KEPT_BYTES and b"\n" in kept[:-1]:
            kept = kept.partition(b"\n")[2]
        return kept.decode(errors="replace")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 4 * _KEPT_BYTES:
            del self._kept[: -_KEPT_BYTES - 1]

    def connection_lost(self, _: Exception | None) -> None:
        self._ended.set()

    async def wait_for_end(self) -> None:
        """Wait until the pipe has ended, for a short time: another process may still have it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), _OUTPUT_WAIT_S)

    def close(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.close()


def _why_not(name: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no command '{name}', or the program that its first line names is missing"
    if not name:
        return "the name of the command is empty: a variable in it may have no value"
    if isinstance(error, PermissionError) and Path(name).is_dir():
        return f"'{name}' is a folder: name the program that runs it, such as npm or python -m"
    if isinstance(error, PermissionError):
        return f"'{name}' is not executable: make it so, or name the program that runs it"
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return f"'{name}' cannot be started: {reason}"
