"""How many requests a key may make in a window of time."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from msgspec import Struct

from mock_server.core.numbers import Count
from mock_server.core.refusals import RateLimited

_LONGEST_WAIT_S = 10**9


class RateWindow(Struct, frozen=True, forbid_unknown_fields=True):
    """A key's window: when it was opened, and how many requests it has seen."""

    key: str
    opened_ms: int
    seen: Count


class RateWindows:
    """Fixed windows, one per key, each opened by the first request in it."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    def copy(self) -> RateWindows:
        """The same windows; counting in the one leaves the other as it is."""
        twin = RateWindows()
        twin._windows = dict(self._windows)
        return twin

    def state(self) -> tuple[RateWindow, ...]:
        """Every window there is."""
        return tuple(RateWindow(key, *window) for key, window in self._windows.items())

    def restore(self, windows: Iterable[RateWindow]) -> None:
        """Have these windows, and no others."""
        self._windows = {each.key: (each.opened_ms, each.seen) for each in windows}

    def count(
        self, key: str, now_ms: int, *, limit: int, window_ms: int, scale: float = 1.0
    ) -> None:
        """Count one request of `key`. Refuses with RateLimited past `limit` (0: no limit).

        scale: how many seconds pass here in one of the caller's. A refused request does not count.
        `retry_after_s` is whole seconds of the caller's, at least 1, after which the next window
        is open.
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
