"""Measures worlds as tests use them: the time to make and reset one, its memory, and idle faults.

Requests to make and to reset worlds are sent at moments fixed in advance, as in `latency`. Every
world that is reset has a task. The memory is what a thousand more worlds add, after a hundred first
ones.

The cost of faults that match no request is the CPU time of the server with five of them, as a
multiple of its CPU time without faults. One server has both by turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks import messages
from benchmarks.extent import Extent
from benchmarks.figures import Figure
from benchmarks.latency import described, median_p99
from benchmarks.load_client import busy, steady
from benchmarks.load_generator import LoadResult
from benchmarks.servers import Server, create_one, fake_server

_RATE_PER_S = 200.0
_WARM_UP = 100
_WORLDS = "/_mock/worlds"
_FAULTS = f"{_WORLDS}/default/faults"
_KB = 1000

_UNMATCHED: list[dict[str, Any]] = [
    {"operation": "upload"},
    {"api": "acedata"},
    {"account": "another"},
    {"model": "hailuo-standard"},
    {"prompt": "a (word|text) that no prompt has"},
]
"""The matches of five faults. No request of this measurement matches them."""


def measure(extent: Extent) -> Iterator[Figure]:
    """Measure worlds, then faults."""
    with fake_server() as fake:
        yield from _made(fake, extent)
        yield _reset(fake, extent)
    # Tasks end at once, so that a turn leaves no work for the next one.
    with fake_server({"TASKS_QUEUED_S": 0, "TASKS_PROCESSING_S": 0}) as fake:
        task_id = create_one(fake)["id"]
        yield _unmatched("get", fake, messages.read(task_id), extent)
        yield _unmatched("create", fake, messages.create(), extent)


def _made(fake: Server, extent: Extent) -> Iterator[Figure]:
    make = messages.message("POST", _WORLDS)
    _turn(fake, [make], _WARM_UP, 201)
    before_bytes, before_s = fake.resident_bytes(), fake.cpu_s()
    turns = [_turn(fake, [make], extent.worlds_a_turn, 201) for _ in range(extent.world_turns)]
    added_bytes = fake.resident_bytes() - before_bytes
    count = extent.worlds_a_turn * extent.world_turns
    cpu_ms = 1000 * (fake.cpu_s() - before_s) / count
    note = f"{described(turns)}; {cpu_ms:.2f} ms of CPU each"
    yield Figure("world_made", median_p99(turns), note=note)
    yield Figure("world_memory", added_bytes / count / _KB, note=f"by {count:,} more worlds")


def _reset(fake: Server, extent: Extent) -> Figure:
    """Measure the reset of worlds that have a task."""
    names = [f"world-{_WARM_UP + number + 1}" for number in range(extent.worlds_a_turn)]
    resets = [messages.message("POST", f"{_WORLDS}/{name}/reset") for name in names]
    turns = []
    for _ in range(extent.world_turns):
        _fill(fake, names)
        turns.append(_turn(fake, resets, len(resets), 200))
    return Figure("world_reset", median_p99(turns), note=described(turns))


def _fill(fake: Server, names: list[str]) -> None:
    keys = [f"{messages.RIVYA_KEY}-{name}" for name in names]
    creates = [
        messages.message("POST", messages.GENERATIONS, key=key, body=messages.MINIMAL)
        for key in keys
    ]
    with busy(fake, creates, len(creates)) as load:
        load.run()


def _turn(fake: Server, sent: list[str], count: int, status: int) -> LoadResult:
    length_s = count / _RATE_PER_S
    with steady(fake, sent, rate_per_s=_RATE_PER_S, length_s=length_s) as load:
        return load.run(status)


def _unmatched(kind: str, fake: Server, sent: str, extent: Extent) -> Figure:
    _cost_us(fake, sent, extent.fault_answers)
    ratios, plain_us = [], []
    for turn in range(extent.fault_rounds):
        cost_us = {}
        for with_faults in (True, False) if turn % 2 else (False, True):
            fake.request("DELETE", _FAULTS).require(200)
            for match in _UNMATCHED if with_faults else ():
                rule = {"effect": {"type": "error", "code": "rate_limited"}, "match": match}
                if match.get("api") == "acedata":
                    rule["effect"] = {"type": "error", "code": "too_many_requests"}
                fake.request("POST", _FAULTS, body=rule).require(201)
            cost_us[with_faults] = _cost_us(fake, sent, extent.fault_answers)
        ratios.append(cost_us[True] / cost_us[False])
        plain_us.append(cost_us[False])
    note = f"median of {len(ratios)} pairs of turns; {median(plain_us):.1f} us without faults"
    return Figure(f"unmatched_{kind}", median(ratios), note=note)


def _cost_us(fake: Server, sent: str, count: int) -> float:
    """CPU microseconds of one request."""
    with busy(fake, [sent], count) as load:
        before_s = fake.cpu_s()
        load.run()
        return 1e6 * (fake.cpu_s() - before_s) / count
