"""The last items of a list that only grows."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

_FEW = 100


class Ring(Generic[T]):
    """The last `max_kept` items, oldest first.

    made: the number of all items, deleted ones included; the last item has this number.
    """

    def __init__(self, max_kept: int, items: Iterable[T] = (), evicted: int = 0) -> None:
        """evicted: the number of items that were deleted before these."""
        self._items = deque(items)
        self.made = evicted + len(self._items)
        self._items = deque(self._items, max_kept)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def add(self, item: T) -> None:
        """Add an item; if there is no room, the oldest is deleted."""
        self._items.append(item)
        self.made += 1

    @property
    def evicted(self) -> int:
        """The number of deleted items."""
        return self.made - len(self._items)

    def after(self, number: int, limit: int | None = None) -> list[T]:
        """The kept items after the one with this number, or the first `limit` of them."""
        if limit is None and number > self.made - _FEW:  # islice goes through all before them
            return list(islice(reversed(self._items), max(0, self.made - number)))[::-1]
        start = max(0, number - self.evicted)
        return list(islice(self._items, start, None if limit is None else start + limit))
