"""What will happen when: one queue for a whole world, so that no task needs a timer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from heapq import heappop, heappush

from msgspec import Struct

from mock_server.core.clock import capped_ms


class Occasion(StrEnum):
    """Why the world has to look up at a moment."""

    TASK_TAKEN_UP = "task_taken_up"
    TASK_ENDS = "task_ends"
    ATTEMPT_DUE = "attempt_due"
    ALARM = "alarm"
    DELAY_OVER = "delay_over"


class Due(Struct, frozen=True, gc=False):
    """One thing that has come due: when it was due, why, and for whom (an id)."""

    at_ms: int
    occasion: Occasion
    subject: str


class BrokenDue(Due, frozen=True, gc=True):
    """One thing that has come due and broke the server: it has happened in part, or not at all."""

    error: Exception


class Agenda:
    """Things due in the future. Equal moments keep the order in which they were noted."""

    def __init__(self) -> None:
        # Few moments, many things at each: what is sorted is small, whatever has been noted.
        self._moments: list[int] = []
        self._due_at: dict[int, list[Due]] = {}

    def __iter__(self) -> Iterator[Due]:
        """Everything noted, in the order in which it will come due."""
        for at_ms in sorted(self._moments):
            yield from self._due_at[at_ms]

    def note(self, at_ms: int, occasion: Occasion, subject: str) -> None:
        """Have `occasion` come due for `subject` at `at_ms`, at the latest when time ends."""
        at_ms = capped_ms(at_ms)
        due = Due(at_ms, occasion, subject)
        noted = self._due_at.get(at_ms)
        if noted is None:
            self._due_at[at_ms] = [due]
            heappush(self._moments, at_ms)
        else:
            noted.append(due)

    def next_ms(self) -> int | None:
        """When the next thing is due; None if nothing is."""
        return self._moments[0] if self._moments else None

    def take_due(self, now_ms: int) -> Sequence[Due]:
        """Take all that is due at the next moment; nothing if that is after `now_ms`."""
        if not self._moments or self._moments[0] > now_ms:
            return ()
        return self._due_at.pop(heappop(self._moments))
