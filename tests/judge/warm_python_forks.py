"""Loads the libraries of the corpus, and forks for each client that it is told to run.

It is a program: its argument is the number of a socket, on which each message names a file and an
environment, and has a file descriptor for the output. The answer is the number of the process.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import socket
import sys
from pathlib import Path

import aiohttp  # noqa: F401
import httpx  # noqa: F401
import requests  # noqa: F401
import tenacity  # noqa: F401

_LONGEST = 1 << 16


def next_client(channel: socket.socket) -> str | None:
    """The file of a client, in a process that is to run it; None in this one, when it is to end."""
    while True:
        message, outputs, *_ = socket.recv_fds(channel, _LONGEST, 1)
        if not message:
            return None
        (output,) = outputs
        file: str
        file, environment = json.loads(message)
        if _forked_twice(channel):
            channel.close()
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            os.environ.clear()
            os.environ.update(environment)
            return file
        os.close(output)


def _forked_twice(channel: socket.socket) -> bool:
    """Whether this is the new process. Its parent has ended, so that the judge adopts it."""
    told, tell = os.pipe()
    between = os.fork()
    if between:
        os.waitpid(between, 0)
        channel.send(os.read(told, _LONGEST))
    elif os.fork():
        os._exit(0)
    else:
        os.setsid()
        os.write(tell, str(os.getpid()).encode())
    os.close(told)
    os.close(tell)
    return between == 0


def run(file: str) -> None:
    """Run a client as `python FILE` does. The process ends without freeing its memory: to write to
    all that it shares with its parent would take longer than the client itself."""
    exit_code = 1

    def end() -> None:
        sys.stdout.flush()
        os._exit(exit_code)

    atexit.register(end)  # it runs after those that the client registers
    try:
        runpy.run_path(file, run_name="__main__")
        exit_code = 0
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise


if __name__ == "__main__":
    gc.freeze()
    file = next_client(socket.socket(fileno=int(sys.argv[1])))
    if file is not None:
        sys.argv = [file]
        sys.path[0] = str(Path(file).parent)
        run(file)
