"""Counts of what has happened in all worlds of a server since it started."""

from collections import defaultdict


class Counts:
    """Counters that only grow, also if a world is reset or dropped.

    requests: by API, operation and status. refusals: by API and error code.
    attempts, deliveries: by API and outcome. credits: by API and what happened to them.
    evictions: by what was deleted for lack of room.
    """

    __slots__ = ("attempts", "credits", "deliveries", "evictions", "refusals", "requests")

    def __init__(self) -> None:
        # Counter is a class in Python: to add to one takes three times as long.
        self.requests: dict[tuple[str | None, str | None, int | None], int] = defaultdict(int)
        self.refusals: dict[tuple[str, str], int] = defaultdict(int)
        self.attempts: dict[tuple[str, str], int] = defaultdict(int)
        self.deliveries: dict[tuple[str, str], int] = defaultdict(int)
        self.credits: dict[tuple[str, str], int] = defaultdict(int)
        self.evictions: dict[tuple[str], int] = defaultdict(int)
