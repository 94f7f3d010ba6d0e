"""Measures the memory that the stories of tasks need.

Every task is created by a request, read three times and ended, on a clock that is moved. The figure
is the memory that is freed with the records of all tasks, divided by their number.
"""

from __future__ import annotations

import gc
import tracemalloc

from benchmarks.extent import Extent
from benchmarks.figures import Figure
from benchmarks.orders import generation_order
from mock_server.core.accounts import KeyRing
from mock_server.core.clock import Clock
from mock_server.core.journal import Exchange
from mock_server.core.world import World, WorldRules
from mock_server.simulation.wall_clock import wall_ms

_GAPS_MS = (300, 400, 500)
"""Waits before the reads. They are longer than a task takes."""


def measure(extent: Extent) -> Figure:
    """Measure with many tasks, in this process."""
    tracemalloc.start()
    try:
        world = _filled(extent.many_stored)
        full_bytes = _traced_bytes()
        world.history.records.clear()
        freed_bytes = full_bytes - _traced_bytes()
    finally:
        tracemalloc.stop()
    note = f"freed with the stories of {extent.many_stored:,} tasks, each read three times"
    return Figure("story_memory", freed_bytes / extent.many_stored, note=note)


def _filled(tasks: int) -> World:
    clock = Clock(wall_ms, frozen=True)
    world = World("default", 0, clock, WorldRules(), KeyRing(()))
    world.ledger.grant(generation_order(0).account, 10**12)
    for number in range(tasks):
        create = world.open_exchange("POST", "/api/v1/generations")
        task_id = world.submit(generation_order(number), exchange=create).id
        _end(world, create, "create", task_id)
        for gap_ms in _GAPS_MS:
            clock.advance(gap_ms)
            world.catch_up()
            read = world.open_exchange("GET", "/api/v1/generations")
            _end(world, read, "read", task_id)
    return world


def _end(world: World, exchange: Exchange, operation: str, task_id: str) -> None:
    exchange.operation, exchange.task, exchange.status = operation, task_id, 200
    exchange.end(*world.clock.moment(), "answered")
    world.note_ended(exchange)


def _traced_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]
