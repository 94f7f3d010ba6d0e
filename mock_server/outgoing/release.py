"""Says when answers and attempts may be sent: not before a state file has what they tell."""

from collections.abc import Callable
from typing import Protocol


class StateLost(Exception):
    """The state file cannot be written, so nothing is sent any more."""


class Release(Protocol):
    """Holds what is sent until the state file has everything that was changed before it."""

    @property
    def is_held(self) -> bool:
        """Whether something has changed that the file does not have yet."""

    def when_released(self, send: Callable[[bool], None]) -> None:
        """Call this when the file has all changes made so far: with True, or with False if it
        could not be written."""

    async def released(self) -> None:
        """Wait for the same. Raises StateLost if the file could not be written."""


class AtOnce:
    """The release of a server without a state file."""

    is_held = False

    def when_released(self, send: Callable[[bool], None]) -> None:
        """Call it now."""
        send(True)

    async def released(self) -> None:
        """Return at once."""
