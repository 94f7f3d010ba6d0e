"""Load on a server, from this side: starts the generator and refuses what it should not believe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import msgspec

from benchmarks.load import Load, Tally
from benchmarks.measured import CannotMeasure
from benchmarks.processes import Worker, started
from benchmarks.servers import Server

BUSY_CONNECTIONS = 64
_PATIENCE_S = 60.0


class Generator:
    """A load whose connections are open and whose first request has not been sent."""

    def __init__(self, worker: Worker, load: Load) -> None:
        self._worker = worker
        self._load = load
        worker.tell(asdict(load))
        self._hear_event("connected")

    def run(self, expected_status: int = 200) -> Tally:
        """Send everything; raises CannotMeasure unless all was answered with that status."""
        self.begin()
        return self.finish(expected_status)

    def begin(self) -> None:
        """Send everything there is to send; in `hold` mode, return when it is sent."""
        self._worker.tell("go")
        if self._load.mode == "hold":
            self._hear_event("sent")

    def finish(self, expected_status: int | None = 200) -> Tally:
        """What came of it; None expects nothing. Raises CannotMeasure as `run` does."""
        heard = self._worker.hear(self._load.time_limit_s + 10)
        tally = msgspec.convert(heard, Tally, strict=False)  # JSON spells statuses as strings
        if expected_status is not None:
            _require(tally, {expected_status: self._load.count})
        return tally

    def _hear_event(self, name: str) -> None:
        heard = self._worker.hear()
        if heard.get("event") != name:
            raise CannotMeasure(f"the load generator was to say '{name}' and said {heard}")


def _require(tally: Tally, expected: dict[int, int]) -> None:
    is_whole = not tally.dropped and not tally.malformed
    if tally.by_status != expected or tally.sent != sum(expected.values()) or not is_whole:
        raise CannotMeasure(f"expected {expected} by status, the load brought {tally}")


@contextmanager
def _generator(load: Load) -> Iterator[Generator]:
    with started(["-m", "benchmarks.load"]) as worker:
        yield Generator(worker, load)


@contextmanager
def busy(server: Server, messages: list[str], count: int) -> Iterator[Generator]:
    """`count` requests as fast as the server answers them, on 64 connections."""
    load = Load("closed", server.port, messages, count, BUSY_CONNECTIONS, _PATIENCE_S)
    with _generator(load) as generator:
        yield generator


@contextmanager
def steady(
    server: Server, messages: list[str], *, rate_per_s: float, length_s: float
) -> Iterator[Generator]:
    """Requests at moments fixed in advance, for `length_s`."""
    count = round(rate_per_s * length_s)
    limit_s = length_s + _PATIENCE_S
    load = Load("open", server.port, messages, count, BUSY_CONNECTIONS, limit_s, rate_per_s)
    with _generator(load) as generator:
        yield generator


@contextmanager
def holding(server: Server, message: str, count: int) -> Iterator[Generator]:
    """`count` connections with one request each."""
    load = Load("hold", server.port, [message], count, count, _PATIENCE_S)
    with _generator(load) as generator:
        yield generator
