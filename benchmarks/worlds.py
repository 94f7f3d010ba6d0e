"""Worlds as tests use them: made, begun anew and idle, with faults that stand for nobody.

Making and resetting go over the control door, at moments fixed in advance as in `latency`; every
world that is reset has a task in it. Memory is the resident memory that a thousand worlds add,
after a hundred that only warm the server up.

What faults cost that do not match is the CPU time of the server with five of them, each beside the
requests in another way, as a multiple of its CPU time with none: one process, by turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.latency import described, median_p99
from benchmarks.load import Tally
from benchmarks.loading import busy, steady
from benchmarks.measured import Measured
from benchmarks.servers import Server, create_one, fake_server

_RATE_PER_S = 200.0
_WARM_UP = 100
_WORLDS = "/_mock/worlds"
_FAULTS = f"{_WORLDS}/default/faults"
_KB = 1000

_ELSEWHERE: list[dict[str, Any]] = [
    {"operation": "upload"},
    {"api": "acedata"},
    {"account": "somebody-else"},
    {"model": "hailuo-standard"},
    {"prompt": "a word that is (not|never) there"},
]
"""What five faults match, and no request that is sent."""


def measure(extent: Extent) -> Iterator[Measured]:
    """Worlds first, then faults."""
    with fake_server() as fake:
        yield from _made(fake, extent)
        yield _reset(fake, extent)
    # Tasks end at once: nothing is left of a turn when the next one begins.
    with fake_server({"TASKS_QUEUED_S": 0, "TASKS_PROCESSING_S": 0}) as fake:
        task_id = create_one(fake)["id"]
        yield _unmatched("get", fake, messages.get(task_id), extent)
        yield _unmatched("create", fake, messages.create(), extent)


def _made(fake: Server, extent: Extent) -> Iterator[Measured]:
    make = messages.message("POST", _WORLDS)
    _turn(fake, [make], _WARM_UP, 201)
    before_bytes, before_s = fake.resident_bytes(), fake.cpu_s()
    turns = [_turn(fake, [make], extent.worlds_a_turn, 201) for _ in range(extent.world_turns)]
    added_bytes = fake.resident_bytes() - before_bytes
    count = extent.worlds_a_turn * extent.world_turns
    cpu_ms = 1000 * (fake.cpu_s() - before_s) / count
    note = f"{described(turns)}; {cpu_ms:.2f} ms of CPU each"
    yield Measured("world_made", median_p99(turns), note=note)
    yield Measured("world_memory", added_bytes / count / _KB, note=f"by {count:,} more worlds")


def _reset(fake: Server, extent: Extent) -> Measured:
    """Of worlds that have a task."""
    names = [f"world-{_WARM_UP + number + 1}" for number in range(extent.worlds_a_turn)]
    resets = [messages.message("POST", f"{_WORLDS}/{name}/reset") for name in names]
    turns = []
    for _ in range(extent.world_turns):
        _fill(fake, names)
        turns.append(_turn(fake, resets, len(resets), 200))
    return Measured("world_reset", median_p99(turns), note=described(turns))


def _fill(fake: Server, names: list[str]) -> None:
    keys = [f"{messages.RIVYA_KEY}-{name}" for name in names]
    creates = [
        messages.message("POST", messages.GENERATIONS, key=key, body=messages.MINIMAL)
        for key in keys
    ]
    with busy(fake, creates, len(creates)) as load:
        load.run()


def _turn(fake: Server, sent: list[str], count: int, status: int) -> Tally:
    length_s = count / _RATE_PER_S
    with steady(fake, sent, rate_per_s=_RATE_PER_S, length_s=length_s) as load:
        return load.run(status)


def _unmatched(kind: str, fake: Server, sent: str, extent: Extent) -> Measured:
    _cost_us(fake, sent, extent.fault_answers)
    ratios, plain_us = [], []
    for turn in range(extent.fault_rounds):
        cost_us = {}
        for stand in (True, False) if turn % 2 else (False, True):
            fake.ask("DELETE", _FAULTS).require(200)
            for match in _ELSEWHERE if stand else ():
                rule = {"effect": {"type": "error", "code": "rate_limited"}, "match": match}
                if match.get("api") == "acedata":
                    rule["effect"] = {"type": "error", "code": "too_many_requests"}
                fake.ask("POST", _FAULTS, body=rule).require(201)
            cost_us[stand] = _cost_us(fake, sent, extent.fault_answers)
        ratios.append(cost_us[True] / cost_us[False])
        plain_us.append(cost_us[False])
    note = f"median of {len(ratios)} pairs of turns; {median(plain_us):.1f} us without faults"
    return Measured(f"unmatched_{kind}", median(ratios), note=note)


def _cost_us(fake: Server, sent: str, count: int) -> float:
    """CPU microseconds of one request."""
    with busy(fake, [sent], count) as load:
        before_s = fake.cpu_s()
        load.run()
        return 1e6 * (fake.cpu_s() - before_s) / count
