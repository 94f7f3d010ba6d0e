"""Reads the changes of a world as they happen, from the control door."""

from collections.abc import Iterator

from mock_server.control import ControlError, World
from mock_server.control.history_answers import Changes

_WAIT_S = 50.0
"""Real seconds of one wait. The door allows 60."""

_WORLD_CHANGED = {400, 503}
"""How the door answers if the world was reset or replaced: before a call, during it."""


def follow(world: World, since: str | None) -> Iterator[tuple[Changes, bool]]:
    """Pages of changes after a cursor, without end, each with whether the world has begun anew
    before it (reset, restored, or dropped and made again).
    Raises ControlError if the world or the server is gone, and for a wrong cursor."""
    page, begins_anew = world.changes(since), False
    while True:
        yield page, begins_anew
        try:
            page = world.changes(page.cursor, timeout_s=0.0 if page.more else _WAIT_S)
            begins_anew = False
        except ControlError as error:
            if error.status not in _WORLD_CHANGED:
                raise
            page, begins_anew = world.changes(), True
