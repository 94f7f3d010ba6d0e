"""The contents of a state file: what each turn of the event loop has changed, in order.

A turn has rows: new ones, new versions of earlier ones, and the numbers of rows that are deleted.
The last version of each row counts. The oldest turns are removed again and again, so that the file
does not grow with what no longer counts: their rows that still count move into the present turn.
"""

from array import array
from collections.abc import Iterable
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
        self._turn_of = array("Q")  # by the number of a row; 0: in none
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
        return [row for row in _decode(body).written if self._turn_of[row[0]] == number]

    def forget(self, number: int) -> None:
        """Forget a turn whose rows have all moved."""
        del self._counting[number]
        self._all_rows -= self._sizes.pop(number)

    def read(self, turns: Iterable[tuple[int, bytes]]) -> list[Row]:
        """Note all turns of a file; the rows that count, in the order of their numbers.
        Raises ValueError for a turn that is none."""
        rows: dict[int, Row] = {}
        for number, body in turns:
            raw = _decode(body)
            turn = Turn(list(raw.written), raw.deleted)
            self.last = number
            self._note(number, turn)
            rows |= {row[0]: row for row in turn.written}
            for deleted in turn.deleted:
                rows.pop(deleted, None)
        # One more: the last row may be a task, and the next number is that of its changes.
        self._numbers = count(len(self._turn_of) + 1)
        return [rows[number] for number in sorted(rows)]

    def _note(self, number: int, turn: Turn) -> None:
        turn_of, counting = self._turn_of, self._counting
        highest = max((*(row[0] for row in turn.written), *turn.deleted), default=0)
        if (missing := highest + 1 - len(turn_of)) > 0:
            turn_of.frombytes(bytes(missing * turn_of.itemsize))
        live = self._live_rows
        counting[number] = len(turn.written)
        for row in turn.written:
            if before := turn_of[row[0]]:
                counting[before] -= 1
            else:
                live += 1
            turn_of[row[0]] = number
        for deleted in turn.deleted:
            if before := turn_of[deleted]:
                counting[before] -= 1
                turn_of[deleted] = 0
                live -= 1
        self._live_rows = live
        self._sizes[number] = len(turn.written) + len(turn.deleted)
        self._all_rows += self._sizes[number]
