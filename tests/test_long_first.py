from __future__ import annotations

from pathlib import Path

import pytest

from tests.long_first import LONG, long_first

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("workers", [2, 3, 4, 16])
@pytest.mark.parametrize("short", [1000, 1001, 1003])
def test_each_worker_begins_with_its_part_of_the_long_tests(workers: int, short: int) -> None:
    long = [f"{LONG[number % 4]}::test_{number}" for number in range(20)]
    names = [f"tests/test_a.py::test_{number}" for number in range(short)]
    ids = names[:500] + long + names[500:]
    order = long_first(ids, workers)
    assert sorted(order) == list(range(len(ids)))
    begun = 0
    for number in range(workers):  # as xdist deals
        share = (len(ids) - begun) // (workers - number)
        mine = [ids[place] in long for place in order[begun : begun + share]]
        assert mine == sorted(mine, reverse=True)
        assert mine[0]
        assert abs(sum(mine) - len(long) / workers) < 1
        begun += share


def test_other_tests_keep_their_order() -> None:
    ids = [f"tests/test_a.py::test_{number}" for number in range(100)]
    assert long_first(ids, 4) == list(range(100))


def test_more_long_tests_than_a_share_are_all_there() -> None:
    ids = [f"{LONG[4]}::test_{number}" for number in range(9)] + ["tests/test_a.py::test_1"]
    assert sorted(long_first(ids, 4)) == list(range(10))


@pytest.mark.parametrize("begin", LONG)
def test_each_long_test_exists(begin: str) -> None:
    file, _, name = begin.partition("::")
    assert f"def {name or 'test_'}" in (ROOT / file).read_text("utf-8")
