"""File descriptors: the limit is raised, and their lack is logged once."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import subprocess
import sys

import pytest

from mock_server.server.descriptors import ShortageLog

resource = pytest.importorskip("resource", reason="needs limits of the operating system")


@pytest.mark.parametrize(
    ("limits", "raised_to"),
    [((256, 4096), 4096), ((256, 256), 256), ((4096, 4096), 4096)],
)
def test_the_soft_limit_is_raised_to_the_hard_one(limits: tuple[int, int], raised_to: int) -> None:
    program = (
        "import resource; from mock_server.server.descriptors import raise_limit\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, {limits})\n"
        "raise_limit()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )
    assert ended.stdout == f"({raised_to}, {limits[1]})\n"


def test_a_lack_of_descriptors_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(ShortageLog())
        for _ in range(2000):
            loop.call_exception_handler(
                {
                    "message": "socket.accept() out of system resource",
                    "exception": OSError(errno.EMFILE, "Too many open files"),
                    "socket": None,
                }
            )

    asyncio.run(story())
    (told,) = caplog.records
    assert "Too many open files" in told.getMessage()
    assert "limits.head_timeout_s" in told.getMessage()


def test_every_other_exception_is_logged_as_usual(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(ShortageLog())
        for number in range(3):
            loop.call_exception_handler({"message": f"odd {number}", "exception": OSError(5, "x")})

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert [record.getMessage().splitlines()[0] for record in caplog.records] == [
        "odd 0",
        "odd 1",
        "odd 2",
    ]


def test_the_server_accepts_requests_again_with_free_descriptors() -> None:
    program = """
import resource, socket, sys, http.client, json
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
from mock_server.__main__ import main
main(["serve", "--port", "0"], standalone_mode=False)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(process.stdout.readline().partition(b"127.0.0.1:")[2].partition(b'"')[0])
        half = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
        assert b"new connections have to wait" in process.stderr.readline()
        for connection in half:
            connection.close()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /_mock/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        process.terminate()
        assert process.communicate(timeout=10)[1] == b""
    finally:
        process.kill()
        process.communicate()
