"""Things of one kind by their id, oldest first."""

from collections.abc import Iterator
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Records(Generic[T]):
    """Things of one kind, of all accounts, by their id, oldest first."""

    def __init__(self) -> None:
        self._records: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[T]:
        return iter(self._records.values())

    def __getitem__(self, record_id: str) -> T:
        return self._records[record_id]

    def get(self, record_id: str) -> T | None:
        """The one with this id; None if there is none."""
        return self._records.get(record_id)

    def newest(self, count: int) -> list[T]:
        """The last `count`, or fewer, the oldest first."""
        return list(islice(reversed(self._records.values()), count))[::-1]
