"""The budgets as data: the limit of each figure, and whether it is a maximum or a minimum."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Bound(Enum):
    """Whether the limit is a maximum or a minimum. The limit itself is allowed."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Budget:
    """The limit of one figure. Ratios have the unit `x`: to the bare app or to the small case.

    what: the description in the table. bare_unit: the unit of the bare app's own figure.
    """

    key: str
    what: str
    limit: float
    unit: str
    bound: Bound = Bound.AT_MOST
    bare_unit: str = ""

    def holds(self, value: float) -> bool:
        """Whether a figure is within the budget."""
        return value >= self.limit if self.bound is Bound.AT_LEAST else value <= self.limit


_LEAST = Bound.AT_LEAST

BUDGETS: dict[str, Budget] = {
    budget.key: budget
    for budget in (
        Budget("start_ratio", "start to first answer", 1.4, "x", bare_unit="ms"),
        Budget("start_floor", "the same, quickest of all starts", 330, "ms", bare_unit="ms"),
        Budget("get_ratio", "get: answers per CPU second", 0.80, "x", _LEAST, "/s"),
        Budget("create_ratio", "create: answers per CPU second", 0.55, "x", _LEAST, "/s"),
        Budget("invalid_ratio", "refused create, the same", 0.55, "x", _LEAST, "/s"),
        Budget("p99", "p99 latency at 1,000 requests/s", 10, "ms", bare_unit="ms"),
        Budget("idle_memory", "resident memory, idle", 64, "MB", bare_unit="MB"),
        Budget("full_memory", "resident memory, many tasks", 180, "MiB"),
        Budget("task_memory", "memory per stored task, with its story", 1200, "B"),
        Budget("story_memory", "the part of it that is the story", 400, "B"),
        Budget("pause", "longest pause, many tasks", 50, "ms"),
        Budget("get_growth", "get: cost, many tasks : few", 1.10, "x"),
        Budget("create_growth", "create: cost, many tasks : few", 1.10, "x"),
        Budget("worst_wait", "longest wait of another request", 50, "ms"),
        Budget("held_threads", "threads more with requests held", 0, ""),
        Budget("held_p99", "p99 latency with requests held", 10, "ms"),
        Budget("callbacks", "2,000 callbacks due at once", 3, "s"),
        Budget("callbacks_beside", "180 receivers beside 20 that hang", 1, "s"),
        Budget("delivery_attempts", "attempts lost, double or not as logged", 0, ""),
        Budget("delivery_memory", "memory gained by many deliveries", 3, "MiB"),
        Budget("world_made", "p99 of making a world", 3, "ms"),
        Budget("world_reset", "p99 of a world's reset", 2, "ms"),
        Budget("world_memory", "memory per idle world", 64, "KB"),
        Budget("two_processes", "two processes behind nginx : one, CPU time", 1.7, "x", _LEAST),
        Budget("two_processes_wall", "the same by the clock", 1.7, "x", _LEAST),
        Budget("unmatched_get", "get: cost, faults for others : none", 1.03, "x"),
        Budget("unmatched_create", "create: cost, faults for others : none", 1.03, "x"),
        Budget("fixture_start", "fixture: start, until the door answers", 30, "ms"),
        Budget("fixture_stop", "fixture: stop", 50, "ms"),
        Budget("fixture_world", "fixture: a new world", 3, "ms"),
        Budget("fixture_reset", "fixture: a reset", 2, "ms"),
        Budget("state_create", "create: state file : without", 0.85, "x", _LEAST),
        Budget("state_read", "get: state file : without", 0.98, "x", _LEAST),
        Budget("state_pause", "longest pause, state file, many tasks", 50, "ms"),
        Budget("state_size", "state file, per task", 1024, "B"),
        Budget("state_restart", "restart with many tasks", 2, "s"),
        Budget("state_memory", "memory after the restart : before it", 1.1, "x"),
        Budget("judged_read", "get: cost while judged : not", 1.05, "x"),
        Budget("judged_create", "create: cost while judged : not", 1.05, "x"),
        Budget("judgement_read", "judgement in the end, per read", 40, "us"),
        Budget("judgement_create", "judgement in the end, per create", 100, "us"),
        Budget("stop_idle", "signal to end, idle", 0.2, "s", bare_unit="s"),
        Budget("stop_busy", "signal to end, busy", 0.2, "s"),
        Budget("stop_held", "signal to end, requests held", 0.2, "s"),
    )
}
