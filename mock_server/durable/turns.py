"""The contents of a state file: what each turn of the event loop has changed, in order.

A turn has rows: new ones, new versions of earlier ones, and the numbers of rows that are deleted.
The last version of each row counts. The oldest turns are removed again and again, so that the file
does not grow with what no longer counts: their rows that still count move into the present turn.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from msgspec import Raw, Struct
from msgspec.msgpack import Decoder, Encoder

Row = tuple[int, int, int, Any]
"""Number, world, kind and body. The number never changes, and numbers grow in the order of the
world. The world is the number of its own row."""

_MOST_ROWS = 2000
"""Rows of a turn; a longer one is divided, so that it can be moved in parts."""

_TOLERATED = 1000
"""So many rows that no longer count are never too many."""

_MOVED_AT_ONCE = 200
"""The rows of so many turns, at least, are moved at once."""

_PART_BITS = 10
_IN_A_PART = 1 << _PART_BITS
"""Numbers whose turns are in one array. Numbers are not used again, so most of the oldest count no
longer, and their arrays are deleted."""


class Turn(Struct, array_like=True):
    """What a turn has changed."""

    written: list[Row]
    deleted: list[int]


class _RawTurn(Struct, array_like=True):
    written: list[tuple[int, int, int, Raw]]
    deleted: list[int]


encode = Encoder().encode
_decode = Decoder(_RawTurn).decode


class Turns:
    """Knows which turn has the version of each row that counts."""

    def __init__(self) -> None:
        self.last = 0
        self._turns_of: dict[int, array[int]] = {}  # by part and number of a row; 0: in none
        self._counting_in: dict[int, int] = {}  # of each part: rows that count
        self._numbers = count(1)
        self._counting: dict[int, int] = {}  # of each turn, the oldest first: rows that count
        self._sizes: dict[int, int] = {}
        self._all_rows = 0
        self._live_rows = 0

    def new_number(self) -> int:
        """The number of a new row."""
        return next(self._numbers)

    def divided(self, turn: Turn) -> list[tuple[int, Turn]]:
        """The turn as one or more new ones with their numbers, which are noted."""
        parts = [
            Turn(turn.written[at : at + _MOST_ROWS], [])
            for at in range(0, max(1, len(turn.written)), _MOST_ROWS)
        ]
        parts[-1].deleted = turn.deleted
        numbered = []
        for part in parts:
            self.last += 1
            self._note(self.last, part)
            numbered.append((self.last, part))
        return numbered

    def oldest_to_move(self) -> list[int]:
        """The oldest turns whose rows that still count should be moved, if too many do not."""
        dead = self._all_rows - self._live_rows
        if dead <= _TOLERATED + self._live_rows // 4:
            return []
        found, rows = [], 0
        for number, size in self._sizes.items():
            if rows >= _MOVED_AT_ONCE or number == self.last:
                break
            found.append(number)
            rows += size
        return found

    def counting_rows(self, number: int, body: bytes) -> list[Row]:
        """The rows of a turn that count."""
        return [row for row in _decode(body).written if self._turn_of(row[0]) == number]

    def forget(self, number: int) -> None:
        """Forget a turn whose rows have all moved."""
        del self._counting[number]
        self._all_rows -= self._sizes.pop(number)

    def read(self, turns: Iterable[tuple[int, bytes]]) -> None:
        """Note all turns of a file. Raises ValueError for a turn that is none."""
        highest = 0
        for number, body in turns:
            turn = _decode(body)
            self.last = number
            self._note(number, turn)
            highest = max((highest, *(row[0] for row in turn.written), *turn.deleted))
        # One more: the last row may be a task, and the next number is that of its changes.
        self._numbers = count(highest + 2)

    def rows(self, turns: Iterable[tuple[int, bytes]]) -> Iterator[Row]:
        """The rows of these turns that count, in the order of the turns. One turn is decoded at a
        time: its memory is free before the next one."""
        for number, body in turns:
            yield from self.counting_rows(number, body)

    def _turn_of(self, row: int) -> int:
        """The turn that has the version of a row that counts; 0: none."""
        part = self._turns_of.get(row >> _PART_BITS)
        return 0 if part is None else part[row % _IN_A_PART]

    def _note(self, number: int, turn: Turn | _RawTurn) -> None:
        turns_of, counting, counting_in = self._turns_of, self._counting, self._counting_in
        counting[number] = len(turn.written)
        for row in turn.written:
            at = row[0] >> _PART_BITS
            part = turns_of.get(at)
            if part is None:
                part = turns_of[at] = array("Q", bytes(8 * _IN_A_PART))
                counting_in[at] = 0
            place = row[0] % _IN_A_PART
            if before := part[place]:
                counting[before] -= 1
            else:
                counting_in[at] += 1
                self._live_rows += 1
            part[place] = number
        for deleted in turn.deleted:
            if before := self._turn_of(deleted):
                counting[before] -= 1
                self._live_rows -= 1
                at = deleted >> _PART_BITS
                turns_of[at][deleted % _IN_A_PART] = 0
                counting_in[at] -= 1
                if not counting_in[at]:
                    del turns_of[at], counting_in[at]
        self._sizes[number] = len(turn.written) + len(turn.deleted)
        self._all_rows += self._sizes[number]
