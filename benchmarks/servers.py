"""Starts the two servers that are measured: the fake and the bare app, each in a process."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks import messages
from benchmarks.figures import CannotMeasure
from benchmarks.processes import Worker, started

_UNLIMITED_CREDITS = 10**15
_TIMEOUT_S = 30.0
_ALL_THREADS = 2
"""The number of the Linux clock with the CPU time of all threads of a process."""
_ACCOUNTS = [
    {
        "name": "rivya",
        "credits": _UNLIMITED_CREDITS,
        "keys": [{"key": messages.RIVYA_KEY, "api": "rivya"}],
    },
    {
        "name": "acedata",
        "credits": _UNLIMITED_CREDITS,
        "keys": [{"key": messages.ACEDATA_TOKEN, "api": "acedata"}],
    },
]
FAKE = ["-m", "mock_server", "serve", "--port", "0"]
BARE = ["-m", "benchmarks.bare_app"]


class Server:
    """A server that is ready. Measures its CPU time and memory, and sends single requests."""

    def __init__(self, worker: Worker, timeout_s: float) -> None:
        """Wait for the ready line. Raises CannotMeasure if the server does not start."""
        self.worker = worker
        ready = worker.receive(timeout_s)
        address = urlsplit(ready["url"])
        if address.hostname != "127.0.0.1" or address.port is None:
            raise CannotMeasure(f"{worker.name} listens elsewhere: {ready['url']}")
        self.port = address.port
        self._process = psutil.Process(ready["pid"])
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def cpu_s(self) -> float:
        """CPU seconds spent so far, in user and kernel mode."""
        return cpu_s_of(self._process.pid)

    def resident_bytes(self) -> int:
        """Its resident memory now."""
        return self._process.memory_info().rss

    def threads(self) -> int:
        """How many threads it has now."""
        return self._process.num_threads()

    def open_files(self) -> int:
        """How many files and sockets it has open now."""
        return self._process.num_fds()

    def request(
        self, method: str, path: str, *, key: str | None = None, body: Any = None
    ) -> Answer:
        """Send one request. Its connection stays open until the next."""
        self._connection.close()
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, sent, headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, json.loads(answer.read()))
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise CannotMeasure(f"{method} {path}: {error!r}") from None

    def stop_s(self, number: int) -> float:
        """Send a signal; the seconds until the process has ended."""
        sent_s = time.perf_counter()
        self.worker.process.send_signal(number)
        self.worker.wait()
        return time.perf_counter() - sent_s


def cpu_s_of(pid: int) -> float:
    """CPU seconds that a process has spent so far, in user and kernel mode."""
    if psutil.LINUX:  # in nanoseconds; psutil has only hundredths of a second
        return time.clock_gettime((~pid << 3) | _ALL_THREADS)
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


class Answer:
    """The status and the JSON of one answer."""

    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body

    def require(self, status: int) -> Any:
        """The body. Raises CannotMeasure if the answer has another status."""
        if self.status != status:
            raise CannotMeasure(f"expected {status}, was answered {self.status}: {self.body}")
        return self.body


@contextmanager
def bare_server() -> Iterator[Server]:
    """Start the bare app."""
    with started(BARE) as worker:
        yield Server(worker, _TIMEOUT_S)


@contextmanager
def fake_server(
    settings: Mapping[str, Any] | None = None,
    command: list[str] | None = None,
    *,
    timeout_s: float = _TIMEOUT_S,
) -> Iterator[Server]:
    """Start the fake with its defaults, except `settings` and unlimited credits.

    settings: by their names in the environment, without the prefix.
    """
    environment = {f"HAILUO_MOCK_{name}": str(value) for name, value in (settings or {}).items()}
    environment["HAILUO_MOCK_ACCOUNTS"] = json.dumps(_ACCOUNTS)
    with started(command or FAKE, environment) as worker:
        yield Server(worker, timeout_s)


def available_credits(server: Server) -> int:
    """The available credits of the Rivya account."""
    body = server.request("GET", "/api/v1/credits", key=messages.RIVYA_KEY).require(200)
    credits = body["current_credits"]
    assert isinstance(credits, int)
    return credits


def create_one(server: Server) -> dict[str, Any]:
    """Create a generation; the answer. Raises CannotMeasure if it is not accepted."""
    answer = server.request(
        "POST", messages.GENERATIONS, key=messages.RIVYA_KEY, body=messages.MINIMAL
    )
    body = answer.require(200)
    assert isinstance(body, dict)
    return body
