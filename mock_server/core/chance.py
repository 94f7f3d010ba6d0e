"""Chance that can be repeated: the same seed, purpose and subject always draw the same."""

from __future__ import annotations

from hashlib import blake2b


class Chance:
    """Draws from a seed. A draw depends on its purpose and subject, never on what came before."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._seeded = blake2b(str(seed).encode(), digest_size=16)

    def draw(self, purpose: str, subject: str | int) -> bytes:
        """Sixteen bytes that belong to this purpose and subject."""
        digest = self._seeded.copy()
        digest.update(f"/{purpose}/{subject}".encode())
        return digest.digest()

    def fraction(self, purpose: str, subject: str | int) -> float:
        """A number from 0 (included) to 1 (excluded)."""
        return int.from_bytes(self.draw(purpose, subject)[:6], "big") / (1 << 48)
