"""What a state file and its server need does not grow with what is gone."""

from __future__ import annotations

import tracemalloc
from itertools import islice
from pathlib import Path

import pytest

from mock_server.durable import state_file
from mock_server.durable.kinds import RowKind
from mock_server.durable.state_file import StateFile
from mock_server.durable.turns import Turn, Turns, encode


def write_and_delete(turns: Turns, count: int) -> None:
    """Write rows, each of which the next turn deletes."""
    deleted: list[int] = []
    for _ in range(count):
        row = turns.new_number()
        turns.divided(Turn([(row, 1, RowKind.IDEMPOTENCY, b"")], deleted))
        deleted = [row]
        for number in turns.oldest_to_move():
            turns.forget(number)


def test_rows_that_no_longer_count_take_no_memory() -> None:
    turns = Turns()
    write_and_delete(turns, 10_000)
    tracemalloc.start()
    try:
        write_and_delete(turns, 50_000)
        grown_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown_bytes < 150_000  # as much as the turns that are tolerated


def test_a_row_keeps_its_turn_though_thousands_after_it_are_gone() -> None:
    turns = Turns()
    row = (turns.new_number(), 1, RowKind.WORLD, b"")
    ((first, turn),) = turns.divided(Turn([row], []))
    bodies = [(first, encode(turn))]
    deleted: list[int] = []
    for _ in range(5000):
        number = turns.new_number()
        new = (number, 1, RowKind.RATE, b"")
        ((written, turn),) = turns.divided(Turn([new], deleted))
        bodies.append((written, encode(turn)))
        deleted = [number]
    assert [each[0] for each in turns.rows(bodies)] == [row[0], number]
    again = Turns()
    again.read(bodies)
    assert [each[0] for each in again.rows(bodies)] == [row[0], number]
    assert again.new_number() > number


def test_the_log_beside_the_file_has_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = 400_000
    monkeypatch.setattr(state_file, "_LOG_BYTES", bound)
    path = tmp_path / "demo.db"
    file, log = StateFile(path), Path(f"{path}-wal")
    longest, turns, kept = 0, iter(range(1, 10_000)), 100
    for number in islice(turns, 1000):
        file.write([(number, b"x" * 1000)], [number - kept])
        longest = max(longest, log.stat().st_size)
        if file.has_long_log:
            file.shorten_log()
    assert bound / 2 < longest < 1.5 * bound
    for number in islice(turns, 500):  # meanwhile the disk is slow
        file.write([(number, b"x" * 1000)], [number - kept])
    assert log.stat().st_size > 2 * bound
    file.shorten_log()
    file.write([(next(turns), b"x")], [])
    assert log.stat().st_size <= bound
    file.close()
