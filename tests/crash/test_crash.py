"""Nothing acknowledged is lost when the server is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.points import FULL_DISK, killed_at_points

POINTS = 50


@pytest.mark.parametrize("seed", [1, 2])  # one for each core
def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path, seed: int) -> None:
    points = list(killed_at_points(tmp_path, POINTS // 2, seed))
    assert [point for point in points if point.untrue] == []
    assert sum(point.answered for point in points) > POINTS


def test_what_was_acknowledged_survives_a_full_disk(tmp_path: Path) -> None:
    points = list(killed_at_points(tmp_path, 3, 1, kinds=[FULL_DISK]))
    assert [point for point in points if point.untrue] == []
    assert not any(point.was_killed for point in points)
