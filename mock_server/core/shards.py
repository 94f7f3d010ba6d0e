"""Shards: several server processes behind a proxy, each with worlds of its own.

The names of the worlds of shard 2 begin with `w2-`. So do their keys, after the letters with which
all keys of their API begin: `rvya_sk_w2-…`. A name or key without such a mark belongs to shard 0.
"""

import re
from collections.abc import Iterable
from typing import Self

from msgspec import Struct

from mock_server.core.refusals import OtherShard

MOST_SHARDS = 1000
_SPELLED = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_NUMBER = "w(?P<shard>0|[1-9][0-9]{0,2})"
_MARK = re.compile(f"{_NUMBER}-")
_OF_WORLD = re.compile(rf"{_NUMBER}(?:-|\Z)")


class Shard(Struct, frozen=True):
    """One of `count` shards; the first has the number 0."""

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> Self:
        """The shard that a text such as `2/8` names. Raises ValueError with a sentence."""
        spelled = _SPELLED.fullmatch(text.strip())
        if spelled is None:
            raise ValueError(f"must be a shard and how many there are, like 2/8, not '{text}'")
        number, count = map(int, spelled.groups())
        if not 1 <= count <= MOST_SHARDS:
            raise ValueError(f"there can be 1 to {MOST_SHARDS} shards, not {count}")
        if number >= count:
            raise ValueError(
                f"there is no shard {number} of {count}: the first is 0, the last is {count - 1}"
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def name(self) -> str:
        """Its name, such as `w2`."""
        return name_of(self.number)


def name_of(number: int) -> str:
    """The name of the shard with this number."""
    return f"w{number}"


def shard_of_world(name: str) -> int:
    """The number of the shard that a world of this name belongs to. The name of a shard itself
    stands for its process."""
    found = _OF_WORLD.match(name)
    return int(found["shard"]) if found else 0


def has_mark(name: str) -> bool:
    """Whether the name of a world has the mark of a shard."""
    return _MARK.match(name) is not None


class ShardMarks:
    """The marks of one shard, and of the others, in names and keys."""

    def __init__(self, shard: Shard, key_prefixes: Iterable[str]) -> None:
        """key_prefixes: the first letters of all keys of an API, such as `rvya_sk_`."""
        self.shard = shard
        self.mark = f"{shard.name}-"
        longest_first = sorted(filter(None, key_prefixes), key=len, reverse=True)
        prefix = "|".join([*map(re.escape, longest_first), ""])
        self._key = re.compile(rf"(?P<prefix>{prefix})(?:{_NUMBER}-)?")

    def shard_of_key(self, secret: str) -> int | None:
        """The number of the shard whose mark a key has; None without a mark."""
        found = self._key.match(secret)
        return int(found["shard"]) if found and found["shard"] else None

    def marked_world(self, name: str) -> str:
        """The name with the own mark, once. Refuses with OtherShard a name with another mark."""
        if name.startswith(self.mark):
            return name
        if has_mark(name):
            raise self.other(shard_of_world(name))
        return self.mark + name

    def marked_key(self, secret: str) -> str:
        """The key with a mark: its own one, or that of this shard after the letters of its API."""
        found = self._key.match(secret)
        if found is None or found["shard"]:
            return secret
        return f"{found['prefix']}{self.mark}{secret[found.end() :]}"

    def obstacle(self, secret: str) -> str | None:
        """The rule that a key chosen for this shard breaks; None if requests with it come here."""
        number, own = self.shard_of_key(secret), self.shard
        if number is None:
            if own.number == 0:
                return None
            return f"must have the mark {self.mark} of this shard: a key without a mark is of w0"
        if number == own.number:
            return None
        return f"has the mark of the shard {name_of(number)}, and this is {own.name}"

    def other(self, number: int) -> OtherShard:
        """The refusal of a request that belongs to another shard."""
        own = self.shard
        if number >= own.count:
            last = name_of(own.count - 1)
            return OtherShard(
                f"there is no shard {name_of(number)}: the last one is {last}", number
            )
        return OtherShard(
            f"this belongs to the shard {name_of(number)}, and this process is {own.name}: "
            "the proxy must send it there",
            number,
        )
