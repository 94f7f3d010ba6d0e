"""A world's time, read and moved from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from mock_server.control.answers import Advanced, ClockState, Effect
from mock_server.control.wire import AsyncLine, Awaited, Call, Line, Question, Steps, Waiting

_LONG_S = 600.0
"""Patience with a clock that moves: it waits for receivers, and those have time of their own."""


class _ClockCalls:
    """What both kinds of clock can do."""

    _path: str

    @Call
    def get(self) -> Steps[ClockState]:
        """What time it is, and how it goes on."""
        return (yield Question("GET", f"{self._path}/clock")).read(ClockState)

    @Call
    def freeze(self) -> Steps[ClockState]:
        """Have time stand still, except for `advance` and its like."""
        return (yield Question("PATCH", f"{self._path}/clock", {"mode": "frozen"})).read(ClockState)

    @Call
    def run(self, scale: float = 1.0) -> Steps[ClockState]:
        """Have time go by; with a scale of 60 a minute passes in a second."""
        body = {"mode": "real", "scale": scale}
        return (yield Question("PATCH", f"{self._path}/clock", body)).read(ClockState)

    @Call
    def move_to(self, now: datetime) -> Steps[ClockState]:
        """Move to a moment, not before the present and with a time zone; what is due happens."""
        question = Question("PATCH", f"{self._path}/clock", {"now": now}, patience_s=_LONG_S)
        return (yield question).read(ClockState)

    @Call
    def advance(self, seconds: float) -> Steps[list[Effect]]:
        """Move forward. Returns all that came due, in order, when it has happened: deliveries have
        been answered."""
        return (yield self._advance({"seconds": float(seconds)})).read(Advanced).effects

    @Call
    def until_idle(self) -> Steps[list[Effect]]:
        """Move forward until nothing is left of what is due now and what follows from it.

        Returns as `advance` does.
        """
        return (yield self._advance({"until": "idle"})).read(Advanced).effects

    @Call
    def date_signatures(self, by: Literal["world", "machine"]) -> Steps[ClockState]:
        """Have webhooks signed with this clock's time, or with that of the server's machine, as
        receivers expect it that do not know of this clock."""
        body = {"signatures": by}
        return (yield Question("PATCH", f"{self._path}/clock", body)).read(ClockState)

    def _advance(self, how: dict[str, Any]) -> Question:
        return Question("POST", f"{self._path}/clock/advance", how, patience_s=_LONG_S)


class Clock(_ClockCalls, Waiting):
    """A world's time."""

    def __init__(self, line: Line, path: str) -> None:
        self._line, self._path = line, path


class AsyncClock(_ClockCalls, Awaited):
    """A world's time."""

    def __init__(self, line: AsyncLine, path: str) -> None:
        self._line, self._path = line, path
