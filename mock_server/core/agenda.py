"""A queue of all future events of a world, so that tasks need no timers."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from heapq import heappop, heappush

from msgspec import Struct

from mock_server.core.clock import capped_ms


class Occasion(StrEnum):
    """The kind of an agenda entry."""

    __hash__ = str.__hash__  # the hash of Enum is slow, and every entry uses it

    TASK_TAKEN_UP = "task_taken_up"
    TASK_ENDS = "task_ends"
    ATTEMPT_DUE = "attempt_due"
    HOLD_TIMEOUT = "alarm"
    DELAY_OVER = "delay_over"


TASK_TAKEN_UP, TASK_ENDS, ATTEMPT_DUE, HOLD_TIMEOUT, DELAY_OVER = Occasion
"""For the code of every request: in Python 3.11 `Occasion.TASK_ENDS` takes as long as a call."""

TASK_OCCASIONS = frozenset({TASK_TAKEN_UP, TASK_ENDS})
"""Kinds of entries about a task."""


class Due(Struct, frozen=True, gc=False):
    """An agenda entry: its time, its kind, and the id of what it is about."""

    at_ms: int
    occasion: Occasion
    subject: str


class BrokenDue(Due, frozen=True, gc=True):
    """An entry whose application raised `error`; a part of its changes may have been made."""

    error: Exception


class Agenda:
    """Entries by time. Entries of the same time keep the order in which they were added."""

    def __init__(self) -> None:
        # There are few times with many entries each, so the heap is small.
        self._times: list[int] = []
        self._due_at: dict[int, list[Due]] = {}

    def __iter__(self) -> Iterator[Due]:
        """All entries in the order in which they are due."""
        for at_ms in sorted(self._times):
            yield from self._due_at[at_ms]

    def add(self, at_ms: int, occasion: Occasion, subject: str) -> None:
        """Add an entry; a time after LAST_MS becomes LAST_MS."""
        at_ms = capped_ms(at_ms)
        due = Due(at_ms, occasion, subject)
        same_time = self._due_at.get(at_ms)
        if same_time is None:
            self._due_at[at_ms] = [due]
            heappush(self._times, at_ms)
        else:
            same_time.append(due)

    def next_ms(self) -> int | None:
        """The time of the next entry; None if there is none."""
        return self._times[0] if self._times else None

    def take_due(self, now_ms: int) -> Sequence[Due]:
        """Remove and return the entries of the next time; none if that is after `now_ms`."""
        if not self._times or self._times[0] > now_ms:
            return ()
        return self._due_at.pop(heappop(self._times))
