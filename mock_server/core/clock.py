"""The clock of a world, which a test can freeze, advance and scale."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from msgspec import Struct

ClockMode = Literal["real", "frozen"]
SignaturesBy = Literal["world", "machine"]
"""The clock that dates signatures: the world's, or the machine's, which receivers compare with."""

LAST_MS = 253_402_300_799_999
"""The last millisecond of the year 9999, the last year of `datetime`. A clock
stops at it, and entries for a later time are due at it."""


def _ignore() -> None:
    pass


def capped_ms(at_ms: int) -> int:
    """The time, at most LAST_MS."""
    return at_ms if at_ms < LAST_MS else LAST_MS


def ms_of(moment: datetime) -> int:
    """Whole milliseconds since 1970. Raises ValueError before 1970 and after LAST_MS."""
    at_ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if not 0 <= at_ms <= LAST_MS:
        raise ValueError("must be a moment from 1970 to the year 9999, in UTC")
    return at_ms


class ClockAnchor(Struct, frozen=True, forbid_unknown_fields=True):
    """How a clock runs: it showed `anchor_ms` when its source showed `anchor_source_ms`.

    passed_ms: the most that the source has moved on since then, as far as it was read.
    """

    anchor_ms: int
    anchor_source_ms: int
    passed_ms: int
    scale: float
    frozen: bool
    signatures: SignaturesBy


class Clock:
    """A world's time in milliseconds since 1970, real or frozen.

    A real clock runs `scale` times as fast as its source (60: a minute a second). A frozen one
    moves only by `advance`. Time never goes backwards, and ends at LAST_MS.
    wall_ms: returns the real time. on_change: called when it is moved, or runs differently.
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
        """source_ms: the real time. start_ms: the world's first time; None: the real time."""
        self._source_ms = self.wall_ms = source_ms
        self.on_change: Callable[[], None] = _ignore
        self.scale = scale
        self.frozen = frozen
        self.signatures = signatures
        self._anchor_source_ms = source_ms()
        self._passed_ms = 0
        self._anchor_ms = self._anchor_source_ms if start_ms is None else start_ms

    def state(self) -> ClockAnchor:
        """How it runs."""
        return ClockAnchor(
            self._anchor_ms,
            self._anchor_source_ms,
            self._passed_ms,
            self.scale,
            self.frozen,
            self.signatures,
        )

    def restore(self, state: ClockAnchor) -> None:
        """Run on as a clock with the same source did, which may have moved on since then."""
        self._anchor_ms, self._anchor_source_ms = state.anchor_ms, state.anchor_source_ms
        self._passed_ms = state.passed_ms
        self.scale, self.frozen, self.signatures = state.scale, state.frozen, state.signatures

    def now_ms(self, wall_ms: int | None = None) -> int:
        """The time of this world. wall_ms: the real time, if it has just been read."""
        if self.frozen:
            return self._anchor_ms
        source_ms = self._source_ms() if wall_ms is None else wall_ms
        # If the machine's clock is set back, this one stands still until it has caught up.
        passed_ms = source_ms - self._anchor_source_ms
        if passed_ms > self._passed_ms:  # noqa: PLR1730 max() is slower, and this is called often
            self._passed_ms = passed_ms
        now_ms = self._anchor_ms + int(self._passed_ms * self.scale)
        return now_ms if now_ms < LAST_MS else LAST_MS

    def moment(self) -> tuple[int, int]:
        """The time of this world, and the real time."""
        wall_ms = self.wall_ms()
        return self.now_ms(wall_ms), wall_ms

    def signing_ms(self) -> int:
        """The time in a signature made now."""
        return self._source_ms() if self.signatures == "machine" else self.now_ms()

    def differs_from_machine(self, tolerance_ms: int) -> bool:
        """Whether the time in signatures is further than this from the machine's time."""
        return abs(self.signing_ms() - self._source_ms()) > tolerance_ms

    def advance(self, by_ms: int) -> None:
        """Move forward by `by_ms`, at most to LAST_MS. Raises ValueError if negative."""
        if by_ms < 0:
            raise ValueError(f"a clock moves forward only: {by_ms} ms")
        self._anchor_ms = capped_ms(self._anchor_ms + by_ms)
        self.on_change()

    @property
    def scale_for_callers(self) -> float:
        """World's seconds per second of a caller; 1 if frozen: then waits are given in the seconds
        that the clock must be advanced by."""
        return 1.0 if self.frozen else self.scale

    def set(self, *, frozen: bool, scale: float) -> None:
        """Change how it runs from now on."""
        now_ms = self.now_ms()
        self._anchor_ms, self._passed_ms = now_ms, 0
        self._anchor_source_ms = self._source_ms()
        self.scale, self.frozen = scale, frozen
        self.on_change()

    def real_wait_s(self, until_ms: int) -> float | None:
        """Real seconds until this clock shows `until_ms`; None if it is frozen before that."""
        missing_ms = until_ms - self.now_ms()
        if missing_ms <= 0:
            return 0.0
        return None if self.frozen else missing_ms / 1000 / self.scale
