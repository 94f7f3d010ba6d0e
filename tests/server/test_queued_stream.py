"""Writing to standard error does not wait for a reader."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from mock_server.server.queued_stream import QueuedStream
from tests.server.test_serve import stopped_after_s

PIPE_BYTES = 4096
LINE = "x" * 99 + "\n"


@contextmanager
def small_pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe that is full after 40 lines."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    try:
        yield read, write
    finally:
        os.close(write)
        os.close(read)


def read_until(descriptor: int, end: str) -> str:
    text = ""
    while not text.endswith(end):
        text += os.read(descriptor, 65536).decode()
    return text


def test_lines_are_written_in_order() -> None:
    with small_pipe() as (read, write):
        stream = QueuedStream(write)
        for number in range(1000):
            print(number, file=stream)
        assert read_until(read, "999\n") == "".join(f"{number}\n" for number in range(1000))
        stream.finish()


def test_a_full_pipe_does_not_block_the_writer() -> None:
    with small_pipe() as (read, write):
        stream = QueuedStream(write)
        began = time.monotonic()
        for _ in range(1000):
            stream.write(LINE)
        stream.write("the end\n")
        stream.finish(timeout_s=0.01)
        assert time.monotonic() - began < 1
        assert read_until(read, "the end\n").count(LINE) == 1000
        stream.finish()


def test_dropped_lines_are_counted_and_reported() -> None:
    with small_pipe() as (read, write):
        stream = QueuedStream(write, max_waiting_characters=PIPE_BYTES * 2)
        for _ in range(1000):
            stream.write(LINE)
        told = read_until(read, "not read)\n")
        kept = told.count(LINE)
        assert f"({1000 - kept} lines left out" in told
        stream.write("and on\n")
        assert read_until(read, "\n") == "and on\n"
        stream.finish()


def test_a_closed_pipe_is_no_error() -> None:
    read, write = os.pipe()
    stream = QueuedStream(write)
    os.close(read)
    for _ in range(10):
        stream.write(LINE)
    stream.finish(timeout_s=5)
    os.close(write)


def test_characters_that_cannot_be_encoded_are_escaped() -> None:
    with small_pipe() as (read, write):
        stream = QueuedStream(write)
        stream.write("half \ud800 a pair\n")
        assert read_until(read, "\n") == "half \\ud800 a pair\n"
        stream.finish()


CHATTER = [
    "import logging; logging.getLogger('x').warning('y' * 99)",
    "import warnings; warnings.warn('y' * 99)",
    "print('y' * 99, file=sys.stderr)",
    "import threading; t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
    "type('Odd', (), {'__del__': lambda _: 1 / 0})()",  # an exception that cannot be raised
]


@pytest.mark.parametrize("chatter", CHATTER)
def test_all_output_of_python_on_standard_error_is_queued(chatter: str) -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('always')\n"
        "from mock_server.server.queued_stream import queued_stderr\n"
        "from mock_server.server.log_lines import set_up_logging\n"
        "with queued_stderr():\n"
        "    set_up_logging('info', ())\n"
        f"    for _ in range(200):\n        {chatter}\n"
        "    print('done', flush=True)\n"
    )
    with small_pipe() as (_, write):
        ended = subprocess.run(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=write,
            text=True,
            check=True,
            timeout=20,
        )
    assert ended.stdout == "done\n"


def test_a_server_with_an_unread_log_answers_and_stops() -> None:
    with small_pipe() as (_, write):
        process = subprocess.Popen(
            [sys.executable, "-m", "mock_server", "serve", "--port", "0", "--log-level", "debug"],
            stdout=subprocess.PIPE,
            stderr=write,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().partition('"url":"')[2].partition('"')[0]
            with httpx2.Client(timeout=5) as client:
                for _ in range(200):
                    assert client.get(f"{url}/_mock/health").status_code == 200
            assert stopped_after_s(process, signal.SIGTERM) < 1
            assert process.returncode == 0
        finally:
            process.kill()
            process.communicate()
