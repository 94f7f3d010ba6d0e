"""Starts the Python clients of the corpus without the time that their libraries take to load.

A process that has loaded them, of `warm_python_forks.py`, forks for each client. The file of the
client is unchanged, and runs in a process of its own with its own environment, session and output.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mock_server.judge.program import Process, execute

_LONGEST = 32
_FORKS = Path(__file__).with_name("warm_python_forks.py")


class WarmPython:
    """Its `spawn` starts `python FILE` by a fork, and everything else as usual."""

    def __init__(self) -> None:
        """Start the process that forks. It ends when this one is closed, or has ended."""
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._forks = subprocess.Popen(
                [sys.executable, "-u", str(_FORKS), str(other.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )

    def close(self) -> None:
        """End the process that forks."""
        self._channel.close()
        self._forks.wait()

    async def spawn(self, argv: Sequence[str], env: Mapping[str, str], output: int) -> Process:
        """As `execute`. This process must adopt orphans."""
        if argv[0] != "python":
            return await execute(argv, env, output)
        socket.send_fds(self._channel, [json.dumps([argv[1], dict(env)]).encode()], [output])
        return _Forked(int(self._channel.recv(_LONGEST)))


class _Forked:
    """A process that was adopted."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._over = asyncio.Event()
        self._handle = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._handle, self._end)

    async def wait(self) -> int:
        await self._over.wait()
        return self.returncode or 0

    def kill(self) -> None:
        os.kill(self.pid, 9)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        self._over.set()
