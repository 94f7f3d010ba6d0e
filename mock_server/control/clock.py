"""Calls that read and move the clock of a world."""

from datetime import datetime
from typing import Any, Literal

from mock_server.control.answers import Advanced, ClockState, DueEntry, DueList, Effect, Task, id_of
from mock_server.control.transport import TIMEOUT_S, Caller, ClientMethod, Request, RequestFlow

_ADVANCE_TIMEOUT_S = 600.0
"""An advance waits until receivers of callbacks have answered."""


class ClockCalls(Caller):
    """The calls of a clock."""

    @ClientMethod
    def get(self) -> RequestFlow[ClockState]:
        """The world's time, its mode and its scale."""
        return (yield Request("GET", f"{self._path}/clock")).read(ClockState)

    @ClientMethod
    def freeze(self) -> RequestFlow[ClockState]:
        """Stop the clock. It then moves only by `advance`, `move_to` and `until_idle`."""
        return (yield self._change({"mode": "frozen"})).read(ClockState)

    @ClientMethod
    def run(self, scale: float = 1.0) -> RequestFlow[ClockState]:
        """Let the clock run; with a scale of 60 a minute passes in a second."""
        return (yield self._change({"mode": "real", "scale": scale})).read(ClockState)

    @ClientMethod
    def move_to(self, now: datetime) -> RequestFlow[ClockState]:
        """Move the clock to `now`, which has a time zone and is not in the past. Everything due
        until then happens."""
        return (yield self._change({"now": now}, _ADVANCE_TIMEOUT_S)).read(ClockState)

    @ClientMethod
    def advance(self, seconds: float) -> RequestFlow[list[Effect]]:
        """Move the clock forward. Returns everything that was due, in order, when all of it has
        happened, answers of receivers included."""
        return (yield self._advance({"seconds": float(seconds)})).read(Advanced).effects

    @ClientMethod
    def until_idle(self) -> RequestFlow[list[Effect]]:
        """Move the clock forward until everything due now, and what follows from it, has happened.
        Returns as `advance` does."""
        return (yield self._advance({"until": "idle"})).read(Advanced).effects

    @ClientMethod
    def date_signatures(self, by: Literal["world", "machine"]) -> RequestFlow[ClockState]:
        """Sign webhooks with the time of this clock, or with that of the server's machine, for
        receivers that compare it with their own clock."""
        return (yield self._change({"signatures": by})).read(ClockState)

    @ClientMethod
    def due(
        self, task: str | Task | None = None, *, limit: int | None = None
    ) -> RequestFlow[list[DueEntry]]:
        """What comes next, in order; an advance to `at` makes it happen.
        task: only what concerns this task. limit: the first so many; None: 20."""
        query = {"task": None if task is None else id_of(task), "limit": limit}
        reply = yield Request("GET", f"{self._path}/due", query=query)
        return list(reply.read(DueList).due)

    def _change(self, body: dict[str, Any], timeout_s: float = TIMEOUT_S) -> Request:
        return Request("PATCH", f"{self._path}/clock", body, timeout_s=timeout_s)

    def _advance(self, body: dict[str, Any]) -> Request:
        path = f"{self._path}/clock/advance"
        return Request("POST", path, body, timeout_s=_ADVANCE_TIMEOUT_S)
