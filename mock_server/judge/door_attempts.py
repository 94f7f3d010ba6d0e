"""The requests of a client for the control door, which is locked while a client is judged."""

from __future__ import annotations

from collections import Counter

from mock_server.core.journal import Exchange
from mock_server.core.printable import printable

_MOST = 10
_LONGEST = 200


class DoorAttempts:
    """Counts equal requests; of other ones, only the first _MOST are kept."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def add(self, exchange: Exchange) -> None:
        """One more request was refused."""
        shown = printable(f"{exchange.method} {exchange.path}", _LONGEST)
        if shown in self._times or len(self._times) < _MOST:
            self._times[shown] += 1

    def sentences(self) -> list[str]:
        """What the client tried, a sentence for each request."""
        return [
            f"the client asked for {shown}{f', {times} times' if times > 1 else ''}: that is the "
            "control door of the fake, which is locked while a client is judged (401)"
            for shown, times in self._times.items()
        ]
