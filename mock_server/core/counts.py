"""Counts of what has happened in all worlds of a server since it started."""

from collections import Counter


class Counts:
    """Counters that only grow, also if a world is reset or dropped.

    requests: by API, operation and status. refusals: by API and error code.
    attempts, deliveries: by API and outcome. credits: by API and what happened to them.
    evictions: by what was deleted for lack of room.
    """

    __slots__ = ("attempts", "credits", "deliveries", "evictions", "refusals", "requests")

    def __init__(self) -> None:
        self.requests: Counter[tuple[str | None, str | None, int | None]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.deliveries: Counter[tuple[str, str]] = Counter()
        self.credits: Counter[tuple[str, str]] = Counter()
        self.evictions: Counter[tuple[str]] = Counter()
