"""What will happen when: one queue for a whole world, so that no task needs a timer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush


class Occasion(Enum):
    """Why the world has to look up at a moment."""

    TASK_TAKEN_UP = "task_taken_up"
    TASK_ENDS = "task_ends"
    ATTEMPT_DUE = "attempt_due"
    ALARM = "alarm"
    DELAY_OVER = "delay_over"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that has come due: when it was due, why, and for whom (an id)."""

    at_ms: int
    occasion: Occasion
    subject: str


_BY_VALUE = {occasion.value: occasion for occasion in Occasion}


class Agenda:
    """Things due in the future. Equal moments keep the order in which they were noted."""

    def __init__(self) -> None:
        # Plain tuples of atoms: the garbage collector soon stops looking at them.
        self._waiting: list[tuple[int, int, str, str]] = []
        self._noted = 0

    def __iter__(self) -> Iterator[Due]:
        """Everything noted, in the order in which it will come due."""
        for at_ms, _, occasion, subject in sorted(self._waiting):
            yield Due(at_ms, _BY_VALUE[occasion], subject)

    def note(self, at_ms: int, occasion: Occasion, subject: str) -> None:
        """Have `occasion` come due for `subject` at `at_ms`."""
        self._noted += 1
        heappush(self._waiting, (at_ms, self._noted, occasion.value, subject))

    def next_ms(self) -> int | None:
        """When the next thing is due; None if nothing is."""
        return self._waiting[0][0] if self._waiting else None

    def take_due(self, now_ms: int) -> Due | None:
        """Take the next thing due by `now_ms`, oldest first; None if there is none (yet)."""
        if not self._waiting or self._waiting[0][0] > now_ms:
            return None
        at_ms, _, occasion, subject = heappop(self._waiting)
        return Due(at_ms, _BY_VALUE[occasion], subject)
