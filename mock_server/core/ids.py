"""Ids of every kind, from a seed: the n-th task of a world always has the same id."""

from base64 import b32encode
from collections.abc import Callable, Mapping
from types import MappingProxyType

from mock_server.core.chance import Chance

# Crockford's base 32 has no i, l, o, u; the documented video ids look exactly like it.
_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)

TaskId = Callable[["Ids", int | str], str]
"""Makes the id of a world's n-th task; with a text instead of n, an id that no task has."""


class Ids:
    """Ids from a seed. The same kind and subject always give the same id."""

    def __init__(
        self, chance: Chance, task_ids: Mapping[str, TaskId] = MappingProxyType({})
    ) -> None:
        """task_ids: makes task ids, by API; an API without one has plain ids."""
        self.chance = chance
        self._task_ids = task_ids

    def hex(self, kind: str, subject: str | int, digits: int = 24) -> str:
        """Up to 32 hex digits, lower case."""
        return self.chance.random_bytes(kind, subject).hex()[:digits]

    def uuid(self, kind: str, subject: str | int) -> str:
        """A version 4 UUID (RFC 9562), lower case with hyphens."""
        digits = self.chance.random_bytes(kind, subject).hex()
        variant = "89ab"[int(digits[16], 16) & 3]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )

    def base32(self, kind: str, subject: str | int) -> str:
        """26 characters of 0-9 and a-z."""
        encoded = b32encode(self.chance.random_bytes(kind, subject)).rstrip(b"=")
        return encoded.translate(_CROCKFORD).decode()

    def task(self, api: str, number: int | str) -> str:
        """The id of a world's n-th task, in the form its API gives to task ids.

        With a text instead of n, an id that no task has.
        """
        return self._task_ids.get(api, plain_task_id)(self, number)

    def unused(
        self, prefix: str, kind: str, made: int, known: Callable[[str], object | None]
    ) -> str:
        """An unused id: `prefix` and 24 hex digits.

        made: how many were made; a snapshot may have gaps. known: the thing with an id, or None.
        """
        return unused_id(lambda number: prefix + self.hex(kind, number), made, known)


def unused_id(
    numbered: Callable[[int], str], made: int, known: Callable[[str], object | None]
) -> str:
    """The first unused id, tried for each number after `made`. known: as for `Ids.unused`."""
    number = made + 1
    while known(found := numbered(number)) is not None:
        number += 1
    return found


def plain_task_id(ids: Ids, number: int | str) -> str:
    """The id of a world's n-th task in the form that most APIs use."""
    return f"task_{ids.hex('task', number)}"
