"""Repeatable random values: the same seed, purpose and subject always give the same value."""

from hashlib import blake2b


class Chance:
    """Random values from a seed. A value does not depend on the values before it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._seeded = blake2b(str(seed).encode(), digest_size=16)

    def random_bytes(self, purpose: str, subject: str | int) -> bytes:
        """Sixteen bytes for this purpose and subject."""
        digest = self._seeded.copy()
        digest.update(f"/{purpose}/{subject}".encode())
        return digest.digest()

    def fraction(self, purpose: str, subject: str | int) -> float:
        """A number from 0 (included) to 1 (excluded)."""
        return int.from_bytes(self.random_bytes(purpose, subject)[:6], "big") / (1 << 48)
