"""The two servers under measurement, each a process: the fake and the bare app."""

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
from benchmarks.measured import CannotMeasure
from benchmarks.processes import Worker, started

_PLENTY = 10**15
_PATIENCE_S = 30.0
_ALL_THREADS = 2
"""Of the clocks that Linux keeps for a process, the one of what it spent in all its threads."""
_ACCOUNTS = [
    {"name": "rivya", "credits": _PLENTY, "keys": [{"key": messages.RIVYA_KEY, "api": "rivya"}]},
    {
        "name": "acedata",
        "credits": _PLENTY,
        "keys": [{"key": messages.ACEDATA_TOKEN, "api": "acedata"}],
    },
]
FAKE = ["-m", "mock_server", "serve", "--port", "0"]
BARE = ["-m", "benchmarks.bare_app"]


class Server:
    """A server that has said it is ready. Reads what it costs; asks it one thing at a time."""

    def __init__(self, worker: Worker, patience_s: float) -> None:
        """Wait for the ready line. Raises CannotMeasure if the server does not come up."""
        self.worker = worker
        ready = worker.hear(patience_s)
        address = urlsplit(ready["url"])
        if address.hostname != "127.0.0.1" or address.port is None:
            raise CannotMeasure(f"{worker.name} listens elsewhere: {ready['url']}")
        self.port = address.port
        self._process = psutil.Process(ready["pid"])
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def cpu_s(self) -> float:
        """CPU seconds spent so far, in user and kernel mode."""
        if psutil.LINUX:  # to the nanosecond; psutil itself counts in hundredths of a second
            return time.clock_gettime((~self._process.pid << 3) | _ALL_THREADS)
        times = self._process.cpu_times()
        return times.user + times.system

    def resident_bytes(self) -> int:
        """Memory it holds now."""
        return self._process.memory_info().rss

    def threads(self) -> int:
        """How many threads it has now."""
        return self._process.num_threads()

    def open_files(self) -> int:
        """How many files and sockets it has open now."""
        return self._process.num_fds()

    def ask(self, method: str, path: str, *, key: str | None = None, body: Any = None) -> Answer:
        """One request, on a connection that stays open until the next."""
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

    def stopped_by(self, number: int) -> float:
        """Send it a signal; the seconds until the process had ended."""
        sent_s = time.perf_counter()
        self.worker.process.send_signal(number)
        self.worker.wait()
        return time.perf_counter() - sent_s


class Answer:
    """Status and JSON of one answer."""

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
    """The bare app, ready."""
    with started(BARE) as worker:
        yield Server(worker, _PATIENCE_S)


@contextmanager
def fake_server(
    settings: Mapping[str, Any] | None = None,
    command: list[str] | None = None,
    *,
    patience_s: float = _PATIENCE_S,
) -> Iterator[Server]:
    """The fake, ready, with its defaults except for `settings` and credits that never run out.

    settings: by their names in the environment, without the prefix.
    """
    environment = {f"HAILUO_MOCK_{name}": str(value) for name, value in (settings or {}).items()}
    environment["HAILUO_MOCK_ACCOUNTS"] = json.dumps(_ACCOUNTS)
    with started(command or FAKE, environment) as worker:
        yield Server(worker, patience_s)


def available_credits(server: Server) -> int:
    """What the Rivya account can spend now."""
    body = server.ask("GET", "/api/v1/credits", key=messages.RIVYA_KEY).require(200)
    credits = body["current_credits"]
    assert isinstance(credits, int)
    return credits


def create_one(server: Server) -> dict[str, Any]:
    """One generation, as its create was answered. Raises CannotMeasure if it was not accepted."""
    answer = server.ask("POST", messages.GENERATIONS, key=messages.RIVYA_KEY, body=messages.MINIMAL)
    body = answer.require(200)
    assert isinstance(body, dict)
    return body
