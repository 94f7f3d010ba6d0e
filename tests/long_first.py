"""Puts the long tests first, so that none of them runs alone at the end of the suite.

`--dist worksteal` hands each worker a run of neighbours, and an idle worker takes the last half of
what another one still has. So each run begins with its part of the long tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

LONG = (
    "tests/crash/test_crash.py",
    "tests/contract_tests/test_check.py",
    "tests/contract_tests/test_exit_codes.py",
    "tests/contract_tests/test_own_world.py",
    "tests/door/test_states_in_a_browser.py::test_axe",
    "tests/door/test_many_tasks_in_a_browser.py",
    "tests/judge/test_command.py",
    "tests/simulation/test_worlds.py::test_each_of_a_thousand_worlds",
    "tests/door/test_journal_export.py::test_five_hundred_requests",
    "tests/door/test_snapshot_edits.py",
    "tests/durable/test_law.py",
    "tests/deploy/test_proxies.py",
)
"""How the ids of tests begin that take seconds, by what one of them takes: the longest first.
They compute, start programs or wait for times that no test can turn."""

SHARED = ("_in_a_browser.py", "tests/deploy/")
"""Parts of paths whose tests share what starts slowly. One worker runs all of a file."""


def long_first(ids: Sequence[str], workers: int) -> list[int]:
    """The places of the ids in the order in which they run, for `--dist worksteal`."""
    parts: list[list[int]] = [[] for _ in range(workers)]
    for number, unit in enumerate(_long_units(ids)):
        parts[number % workers].extend(unit)
    is_long = {place for part in parts for place in part}
    others = [place for place in range(len(ids)) if place not in is_long]
    ordered: list[int] = []
    for number, part in enumerate(parts):
        share = (len(ids) - len(ordered)) // (workers - number)
        count = max(0, share - len(part))
        ordered += part + others[:count]
        del others[:count]
    return ordered + others


def _long_units(ids: Sequence[str]) -> list[list[int]]:
    """The long tests; together those that one worker is to run."""
    units: dict[str, list[int]] = {}
    for begin in LONG:
        for place, name in enumerate(ids):
            if name.startswith(begin):
                is_shared = any(part in begin for part in SHARED)
                units.setdefault(begin if is_shared else name, []).append(place)
    return list(units.values())
