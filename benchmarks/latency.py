"""Latency at a steady rate: a request is late from the moment it was meant to be sent.

The moments are fixed in advance, so a server that stalls is charged for every request that had to
wait. Half of the requests look at tasks, half create some.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.load import Tally
from benchmarks.loading import steady
from benchmarks.measured import Measured
from benchmarks.servers import Server, bare_server, create_one, fake_server

_RATE_PER_S = 1000.0


def measure(extent: Extent) -> Iterator[Measured]:
    """The median of the turns' 99th percentiles; the bare app has the same rate in its turns."""
    bare_turns, fake_turns = [], []
    with bare_server() as bare, fake_server() as fake:
        mix = mixed(fake)
        for _ in range(extent.latency_rounds):
            bare_turns.append(turn(bare, [messages.bare()], extent.turn_s))
            fake_turns.append(turn(fake, mix, extent.turn_s))
    yield Measured("p99", median_p99(fake_turns), median_p99(bare_turns), described(fake_turns))


def turn(server: Server, mix: list[str], length_s: float) -> Tally:
    """What callers saw for a while."""
    with steady(server, mix, rate_per_s=_RATE_PER_S, length_s=length_s) as load:
        return load.run()


def mixed(fake: Server, *, creates_per_look: int = 1) -> list[str]:
    """Looks at some tasks made now, and creates, by turns."""
    ids = [create_one(fake)["id"] for _ in range(64)]
    creates = [messages.create()] * creates_per_look
    return [message for task_id in ids for message in (messages.get(task_id), *creates)]


def median_p99(turns: list[Tally]) -> float:
    """In milliseconds."""
    return median(turn.latency_ms.p99 for turn in turns)


def described(turns: list[Tally]) -> str:
    """The middle and the worst, and how much of it is the generator's own doing."""
    half = median(turn.latency_ms.p50 for turn in turns)
    worst = max(turn.latency_ms.max for turn in turns)
    late = median(turn.late_ms.p99 for turn in turns)
    return (
        f"median of {len(turns)} turns; p50 {half:.2f} ms, worst of all {worst:.1f} ms; "
        f"generator late by p99 {late:.2f} ms"
    )
