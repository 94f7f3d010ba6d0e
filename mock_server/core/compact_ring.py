"""The last items of a list that only grows; only the newest are objects, the others are bytes."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain, islice
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

_IN_A_BLOCK = 128


class CompactRing(Generic[T]):
    """The last `max_kept` items, oldest first. Older ones are packed, because to delete an object
    that was not used for long takes longer than to make it: it has left the processor's caches.
    """

    def __init__(self, max_kept: int, kinds: Any) -> None:
        """kinds: the type of the items: structs with tags. Equal ones are equal when unpacked."""
        self._max_kept = max_kept
        self._kinds = kinds
        self._blocks: deque[bytes] = deque(maxlen=max_kept // _IN_A_BLOCK + 1)
        self._newest: list[T] = []
        self._packed = 0

    def __len__(self) -> int:
        return self.made - self.evicted

    def __iter__(self) -> Iterator[T]:
        return self.after(0)

    def add(self, item: T) -> None:
        """Add an item; if there is no room, the oldest is deleted. One call in _IN_A_BLOCK packs;
        it takes some tenth of a microsecond an item."""
        newest = self._newest
        newest.append(item)
        if len(newest) == _IN_A_BLOCK:
            self._blocks.append(msgspec.msgpack.encode(newest))
            self._packed += _IN_A_BLOCK
            newest.clear()

    @property
    def made(self) -> int:
        """The number of all items, deleted ones included; the last item has this number."""
        return self._packed + len(self._newest)

    @property
    def evicted(self) -> int:
        """The number of deleted items."""
        return max(0, self.made - self._max_kept)

    def after(self, number: int) -> Iterator[T]:
        """The kept items after the one with this number, unpacked while they are read. Nothing may
        be added meanwhile."""
        in_blocks = len(self._blocks) * _IN_A_BLOCK
        before_blocks = self._packed - in_blocks
        skipped = max(number, self.evicted) - before_blocks
        whole_blocks = min(skipped // _IN_A_BLOCK, len(self._blocks))
        blocks = islice(self._blocks, whole_blocks, None)
        items = chain(chain.from_iterable(map(_unpacking(self._kinds), blocks)), self._newest)
        return islice(items, skipped - whole_blocks * _IN_A_BLOCK, None)


@cache
def _unpacking(kinds: Any) -> Callable[[bytes], list[Any]]:
    """Unpacks a block of items of these types."""
    return msgspec.msgpack.Decoder(list[kinds]).decode
