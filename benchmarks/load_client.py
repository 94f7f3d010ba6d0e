"""Starts the load generator, and checks its result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Protocol

import msgspec

from benchmarks.figures import CannotMeasure
from benchmarks.load_generator import Load, LoadResult
from benchmarks.processes import Worker, started
from benchmarks.servers import Server

BUSY_CONNECTIONS = 64
_TIMEOUT_S = 60.0


class Listening(Protocol):
    """Something that listens on this machine."""

    port: int


class Generator:
    """A load generator whose connections are open. It has sent no request."""

    def __init__(self, worker: Worker, load: Load) -> None:
        self._worker = worker
        self._load = load
        worker.send(asdict(load))
        self._receive_event("connected")

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._worker.process.pid

    def run(self, expected_status: int = 200) -> LoadResult:
        """Send all requests. Raises CannotMeasure unless all are answered with that status."""
        self.start()
        return self.finish(expected_status)

    def start(self) -> None:
        """Start to send. In `hold` mode, return when all requests are sent."""
        self._worker.send("go")
        if self._load.mode == "hold":
            self._receive_event("sent")

    def finish(self, expected_status: int | None = 200) -> LoadResult:
        """The result. Raises CannotMeasure as `run` does, unless `expected_status` is None."""
        received = self._worker.receive(self._load.time_limit_s + 10)
        result = msgspec.convert(
            received, LoadResult, strict=False
        )  # JSON spells statuses as strings
        if expected_status is not None:
            _require(result, {expected_status: self._load.count})
        return result

    def _receive_event(self, name: str) -> None:
        received = self._worker.receive()
        if received.get("event") != name:
            raise CannotMeasure(f"the load generator should send '{name}' and sent {received}")


def _require(result: LoadResult, expected: dict[int, int]) -> None:
    is_whole = not result.dropped and not result.malformed
    if result.by_status != expected or result.sent != sum(expected.values()) or not is_whole:
        raise CannotMeasure(f"expected {expected} by status, the result is {result}")


@contextmanager
def _generator(load: Load) -> Iterator[Generator]:
    with started(["-m", "benchmarks.load_generator"]) as worker:
        yield Generator(worker, load)


@contextmanager
def busy(
    server: Listening,
    messages: list[str],
    count: int,
    connections: int = BUSY_CONNECTIONS,
    *,
    polls: bool = True,
) -> Iterator[Generator]:
    """Send `count` requests as fast as the server answers.

    polls: takes one core; not for the load of two processes on two cores."""
    load = Load("closed", server.port, messages, count, connections, _TIMEOUT_S, polls=polls)
    with _generator(load) as generator:
        yield generator


@contextmanager
def steady(
    server: Server, messages: list[str], *, rate_per_s: float, length_s: float
) -> Iterator[Generator]:
    """Send requests at moments fixed in advance, for `length_s`."""
    count = round(rate_per_s * length_s)
    limit_s = length_s + _TIMEOUT_S
    load = Load("open", server.port, messages, count, BUSY_CONNECTIONS, limit_s, rate_per_s)
    with _generator(load) as generator:
        yield generator


@contextmanager
def holding(server: Server, message: str, count: int) -> Iterator[Generator]:
    """Open `count` connections and send one request on each."""
    load = Load("hold", server.port, [message], count, count, _TIMEOUT_S)
    with _generator(load) as generator:
        yield generator
