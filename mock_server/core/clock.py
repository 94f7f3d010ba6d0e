"""What time it is in a world, and how a test moves it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

SignaturesBy = Literal["world", "machine"]
"""Whose clock dates signatures: the world's own, or the machine's, which receivers go by."""

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999. No later one can be written down, so time ends there: a
clock stops at it, and what would be due later is due then."""


def capped_ms(at_ms: int) -> int:
    """The moment, or the last one there is if it would be later."""
    return at_ms if at_ms < LAST_MS else LAST_MS


def ms_of(moment: datetime) -> int:
    """The moment in whole milliseconds since 1970. Raises ValueError before, and after LAST_MS."""
    at_ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if not 0 <= at_ms <= LAST_MS:
        raise ValueError("must be a moment from 1970 to the year 9999, in UTC")
    return at_ms


class Clock:
    """A world's time in milliseconds since 1970, real or frozen.

    A real clock runs `scale` times as fast as the source it is handed (60: a minute a second). A
    frozen one moves only by `advance`. Either way time never goes backwards, and ends at LAST_MS.
    """

    def __init__(
        self,
        source_ms: Callable[[], int],
        *,
        start_ms: int | None = None,
        scale: float = 1.0,
        frozen: bool = False,
        signatures: SignaturesBy = "world",
    ) -> None:
        """`source_ms` tells real time; `start_ms` is the world's first moment (default: now)."""
        self._source_ms = source_ms
        self._scale = scale
        self.frozen = frozen
        self.signatures = signatures
        self._anchor_source_ms = source_ms()
        self._passed_ms = 0
        self._anchor_ms = self._anchor_source_ms if start_ms is None else start_ms

    def now_ms(self) -> int:
        """The present moment of this world."""
        if self.frozen:
            return self._anchor_ms
        # A machine's clock is set back now and then; this one only ever stands still for it.
        passed_ms = self._source_ms() - self._anchor_source_ms
        if passed_ms > self._passed_ms:  # noqa: PLR1730 max() is dear, and time is often looked at
            self._passed_ms = passed_ms
        now_ms = self._anchor_ms + int(self._passed_ms * self._scale)
        return now_ms if now_ms < LAST_MS else LAST_MS

    def signing_ms(self) -> int:
        """The moment that a signature made now is dated with."""
        return self._source_ms() if self.signatures == "machine" else self.now_ms()

    def is_apart(self, tolerance_ms: int) -> bool:
        """Whether a signature made now is dated so far from the machine's time."""
        return abs(self.signing_ms() - self._source_ms()) > tolerance_ms

    def advance(self, by_ms: int) -> None:
        """Move forward by `by_ms` at once, at most to LAST_MS. Raises ValueError if negative."""
        if by_ms < 0:
            raise ValueError(f"a clock moves forward only: {by_ms} ms")
        self._anchor_ms = capped_ms(self._anchor_ms + by_ms)

    @property
    def scale(self) -> float:
        """How much faster than its source it runs while it is not frozen."""
        return self._scale

    @property
    def scale_for_callers(self) -> float:
        """How many of its seconds pass while a caller waits one; 1 if it is frozen, so that a
        caller is told the seconds it has to be advanced by."""
        return 1.0 if self.frozen else self._scale

    def set(self, *, frozen: bool, scale: float) -> None:
        """Run on in another way from the present moment."""
        now_ms = self.now_ms()
        self._anchor_ms, self._passed_ms = now_ms, 0
        self._anchor_source_ms = self._source_ms()
        self._scale, self.frozen = scale, frozen

    def real_wait_s(self, until_ms: int) -> float | None:
        """Real seconds until this clock shows `until_ms`; None if it never will by itself."""
        missing_ms = until_ms - self.now_ms()
        if missing_ms <= 0:
            return 0.0
        return None if self.frozen else missing_ms / 1000 / self._scale
