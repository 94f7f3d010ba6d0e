"""Measures the time from a signal to the end of the process: idle, busy, with requests held."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import Figure
from benchmarks.load_client import holding
from benchmarks.servers import Server, bare_server, create_one, fake_server

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LONG_S = 600
_LARGE_CREATES = 40
_UNKNOWN_PARAMS = 39_000


def measure(extent: Extent) -> Iterator[Figure]:
    """The median for each of two signals; the longer one."""
    idle = {number: [_idle_s(number) for _ in range(extent.stop_rounds)] for number in _SIGNALS}
    bare = [_bare_idle_s(number) for number in _SIGNALS]
    yield Figure(
        "stop_idle",
        _slower(idle),
        median(bare),
        "the slower of SIGTERM and SIGINT, with one idle connection",
    )
    busy = {number: [_busy_s(number) for _ in range(extent.stop_rounds)] for number in _SIGNALS}
    note = f"while {_LARGE_CREATES} creates with {_UNKNOWN_PARAMS:,} unknown params wait"
    yield Figure("stop_busy", _slower(busy), note=note)
    answered: list[int] = []
    held = {
        number: [_held_s(number, extent.held, answered) for _ in range(extent.stop_rounds)]
        for number in _SIGNALS
    }
    least = f"at least {min(answered):,} of {extent.held:,} had an answer before the end"
    yield Figure("stop_held", _slower(held), note=least)


def _slower(taken_s: dict[signal.Signals, list[float]]) -> float:
    return max(median(values) for values in taken_s.values())


def _idle_s(number: int) -> float:
    with fake_server() as fake:
        create_one(fake)
        return fake.stop_s(number)


def _bare_idle_s(number: int) -> float:
    with bare_server() as bare:
        bare.request("GET", "/bare").require(200)
        return bare.stop_s(number)


def _busy_s(number: int) -> float:
    unknown = {f"f{place:05}": 0 for place in range(_UNKNOWN_PARAMS)}
    request = messages.create(messages.MINIMAL | {"params": unknown}).encode()
    with fake_server() as fake, ExitStack() as open_connections:
        create_one(fake)
        for _ in range(_LARGE_CREATES):
            address = ("127.0.0.1", fake.port)
            open_connections.enter_context(socket.create_connection(address)).sendall(request)
        return fake.stop_s(number)


def _held_s(number: int, count: int, answered: list[int]) -> float:
    """Add to `answered` the number of held requests with an answer before the end."""
    with (
        fake_server({"TASKS_PROCESSING_S": _LONG_S}) as fake,
        holding(fake, messages.held_video(), count) as held,
    ):
        held.start()
        _wait_for_arrival(fake)
        taken_s = fake.stop_s(number)
        answered.append(sum(held.finish(expected_status=None).by_status.values()))
        return taken_s


def _wait_for_arrival(fake: Server) -> None:
    """Return when the server has read all requests: it reads them before this create."""
    time.sleep(1.0)
    create_one(fake)
