"""Ids of every kind, from a seed: the n-th task of a world always has the same id."""

from __future__ import annotations

from base64 import b32encode

from mock_server.core.chance import Chance

# Crockford's base 32 has no i, l, o, u; the documented video ids look exactly like it.
_CROCKFORD = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789abcdefghjkmnpqrstvwxyz"
)


class Ids:
    """Ids of a kind for a subject. Asked twice for the same, it says the same."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def hex(self, kind: str, subject: str | int, digits: int = 24) -> str:
        """Up to 32 hex digits, lower case."""
        return self._chance.draw(kind, subject).hex()[:digits]

    def uuid(self, kind: str, subject: str | int) -> str:
        """A version 4 UUID (RFC 9562), lower case with hyphens."""
        digits = self._chance.draw(kind, subject).hex()
        variant = "89ab"[int(digits[16], 16) & 3]
        return (
            f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
        )

    def base32(self, kind: str, subject: str | int) -> str:
        """26 characters of 0-9 and a-z."""
        encoded = b32encode(self._chance.draw(kind, subject)).rstrip(b"=")
        return encoded.translate(_CROCKFORD).decode()

    def task(self, api: str, number: int | str) -> str:
        """The id of a world's n-th task, in the form its API gives to task ids.

        A text in place of the number makes an id that no task has.
        """
        return self.uuid("task", number) if api == "acedata" else f"task_{self.hex('task', number)}"
