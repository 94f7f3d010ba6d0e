"""The last items of a list, as bytes, within a number of bytes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import astuple, fields

T = TypeVar("T", bound=msgspec.Struct)

IN_A_BLOCK = 128
"""The number of items that are packed together."""


class PackedItems(Generic[T]):
    """What a ring had packed at one time: an iterable that unpacks while it is read."""

    def __init__(self, unpack: Callable[[bytes], Iterator[T]], blocks: Sequence[bytes]) -> None:
        self._unpack = unpack
        self._blocks = blocks

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks:
            yield from self._unpack(block)


class PackedRing(Generic[T]):
    """Takes structs, and deletes the oldest ones when all together have more than
    `max_bytes`. The newest, and those that may still change, are not packed and not counted.

    pack, unpack: make a block of items, and the items of a block.
    """

    def __init__(self, kind: type[T], max_bytes: int, is_final: Callable[[T], bool]) -> None:
        """max_bytes: 0: nothing is kept. is_final: whether an item changes no more."""
        self._max_bytes = max_bytes
        self._is_final = is_final
        self.pack, self.unpack = _packing_of(kind)
        self._blocks: deque[tuple[int, bytes]] = deque()
        self._newest: list[T] = []
        self._bytes = 0
        self._packed = 0

    def __len__(self) -> int:
        return self._packed + len(self._newest)

    def add(self, item: T) -> None:
        """Add an item. One call in IN_A_BLOCK packs; it takes some 2 microseconds an item."""
        if not self._max_bytes:
            return
        self._newest.append(item)
        if len(self._newest) % IN_A_BLOCK == 0:
            self._pack_newest()

    def add_packed(self, count: int, block: bytes) -> None:
        """Add so many items that `pack` has packed."""
        if not self._max_bytes:
            return
        self._blocks.append((count, block))
        self._bytes += len(block)
        self._packed += count
        while self._bytes > self._max_bytes:
            count, oldest = self._blocks.popleft()
            self._bytes -= len(oldest)
            self._packed -= count

    def take(self, more: Iterable[bytes] = ()) -> tuple[PackedItems[T], list[T]]:
        """The packed items, and the others, of which some may still change; it is empty then.
        more: blocks of further packed items."""
        packed = PackedItems(self.unpack, [*(block for _, block in self._blocks), *more])
        others = list(self._newest)
        self.clear()
        return packed, others

    def clear(self) -> None:
        """Delete all items."""
        self._blocks.clear()
        self._newest.clear()
        self._bytes = self._packed = 0

    def _pack_newest(self) -> None:
        final = list(filter(self._is_final, self._newest))
        is_all = len(final) == len(self._newest)
        self._newest = [] if is_all else [each for each in self._newest if not self._is_final(each)]
        self.add_packed(len(final), self.pack(final))


@cache
def _packing_of(kind: Any) -> tuple[Callable[[Sequence[Any]], bytes], Callable[[bytes], Any]]:
    """How structs are packed and unpacked: values without the names of the fields."""
    named = [(field.name, field.type) for field in fields(kind)]
    row = msgspec.defstruct("Row", named, array_like=True)
    unpacked = msgspec.msgpack.Decoder(list[row]).decode  # type: ignore[valid-type]

    def pack(items: Sequence[Any]) -> bytes:
        return msgspec.msgpack.encode(list(map(astuple, items)))

    def unpack(block: bytes) -> Iterator[Any]:
        return (kind(*astuple(each)) for each in unpacked(block))

    return pack, unpack
