"""Measures the latency at a steady rate, from the moment at which a request is due.

These moments are fixed in advance, so that a pause of the server counts for every request that
waits. Half of the requests are reads, half are creates.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import Figure
from benchmarks.load_client import steady
from benchmarks.load_generator import LoadResult
from benchmarks.servers import Server, bare_server, create_one, fake_server

_RATE_PER_S = 1000.0


def measure(extent: Extent) -> Iterator[Figure]:
    """The median of the 99th percentiles of all turns. The bare app has the same rate."""
    bare_turns, fake_turns = [], []
    with bare_server() as bare, fake_server() as fake:
        mix = mixed(fake)
        for _ in range(extent.latency_rounds):
            bare_turns.append(turn(bare, [messages.bare()], extent.turn_s))
            fake_turns.append(turn(fake, mix, extent.turn_s))
    yield Figure("p99", median_p99(fake_turns), median_p99(bare_turns), described(fake_turns))


def turn(server: Server, mix: list[str], length_s: float) -> LoadResult:
    """Send requests at the steady rate for a while."""
    with steady(server, mix, rate_per_s=_RATE_PER_S, length_s=length_s) as load:
        return load.run()


def mixed(fake: Server, *, creates_per_read: int = 1) -> list[str]:
    """Reads of some new tasks and creates, in turn."""
    ids = [create_one(fake)["id"] for _ in range(64)]
    creates = [messages.create()] * creates_per_read
    return [message for task_id in ids for message in (messages.read(task_id), *creates)]


def median_p99(turns: list[LoadResult]) -> float:
    """The median of the 99th percentiles, in milliseconds."""
    return median(turn.latency_ms.p99 for turn in turns)


def described(turns: list[LoadResult]) -> str:
    """The median, the maximum, and the delay that the load generator itself causes."""
    half = median(turn.latency_ms.p50 for turn in turns)
    worst = max(turn.latency_ms.max for turn in turns)
    late = median(turn.late_ms.p99 for turn in turns)
    return (
        f"median of {len(turns)} turns; p50 {half:.2f} ms, worst of all {worst:.1f} ms; "
        f"generator late by p99 {late:.2f} ms"
    )
