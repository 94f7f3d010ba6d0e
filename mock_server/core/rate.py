"""Rate limits: the number of requests of a key in a window of time."""

from collections.abc import Iterable
from math import ceil

from msgspec import Struct

from mock_server.core.field_types import Count
from mock_server.core.marks import Marks
from mock_server.core.refusals import RateLimited

_LONGEST_WAIT_S = 10**9


class RateWindow(Struct, frozen=True, forbid_unknown_fields=True):
    """A key's window: its start, and the number of its requests."""

    key: str
    opened_ms: int
    seen: Count


class RateWindows:
    """Fixed windows, one per key; the first request starts one."""

    def __init__(self, marks: Marks | None = None) -> None:
        self._marks = marks or Marks()
        self._windows: dict[str, tuple[int, int]] = {}

    def state(self) -> tuple[RateWindow, ...]:
        """All windows."""
        return tuple(RateWindow(key, *window) for key, window in self._windows.items())

    def get(self, key: str) -> RateWindow | None:
        """The window of a key; None if there is none."""
        window = self._windows.get(key)
        return None if window is None else RateWindow(key, *window)

    def restore(self, windows: Iterable[RateWindow]) -> None:
        """Replace all windows."""
        self._windows = {each.key: (each.opened_ms, each.seen) for each in windows}

    def count(
        self, key: str, now_ms: int, *, limit: int, window_ms: int, scale: float = 1.0
    ) -> None:
        """Count one request of `key`. Refuses with RateLimited past `limit` (0: no limit).

        scale: world's seconds per second of the caller. A refused request does not count.
        `retry_after_s`: the caller's seconds until the next window, whole, at least 1.
        """
        if not limit:
            return
        opened_ms, seen = self._windows.get(key, (now_ms, 0))
        if now_ms >= opened_ms + window_ms:
            opened_ms, seen = now_ms, 0
        if seen >= limit:
            left_ms = opened_ms + window_ms - now_ms
            left_s = min(left_ms / 1000 / scale, _LONGEST_WAIT_S)
            raise RateLimited(
                f"{limit} requests in {window_ms / 1000:g} s is the limit of this key; "
                f"the next window opens in {left_s:g} s",
                retry_after_s=max(1, ceil(left_s)),
            )
        self._windows[key] = (opened_ms, seen + 1)
        self._marks.mark_later("rate", key)
