"""The command `hailuo-mock watch`: from its options to an exit code."""

import os
import sys
from collections.abc import Iterator

import click

from mock_server.control import Control, ControlError, World
from mock_server.control.history_answers import Changes
from mock_server.core.printable import printable
from mock_server.watch.printing import JsonPrinter, LinePrinter

COULD_NOT_RUN = 2
INTERRUPTED = 130

_WAIT_S = 50.0
"""Real seconds of one wait. The door allows 60."""

_WORLD_CHANGED = {400, 503}
"""How the door answers if the world was reset or replaced: before a call, during it."""


def watch(
    url: str,
    control_token: str | None,
    world: str,
    since: str | None,
    *,
    as_json: bool,
    no_colour: bool,
) -> int:
    """Print the changes of a world until Ctrl-C, or until the server or the reader of standard
    output is gone. Returns the exit code."""
    is_terminal = sys.stdout.isatty()
    colour = is_terminal and not no_colour
    printer = JsonPrinter() if as_json else LinePrinter(is_terminal=is_terminal, colour=colour)
    try:
        return _print_all(printer, url, control_token, world, since)
    except BrokenPipeError:
        # What is still buffered would raise the error again at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _print_all(
    printer: JsonPrinter | LinePrinter,
    url: str,
    control_token: str | None,
    world: str,
    since: str | None,
) -> int:
    cursor = since
    try:
        with Control(url, control_token) as control:
            for page, begins_anew in follow(control.find(world), since):
                if begins_anew:
                    printer.end_line()
                    _say("the world begins anew: it was reset, restored or made again")
                if page.missed:
                    printer.end_line()
                    _say(f"{page.missed} changes are not kept (limits.history_entries)")
                printer.show(page.changes)
                cursor = page.cursor
    except ControlError as error:
        printer.end_line()
        _say(printable(str(error)))
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        printer.end_line()
        if cursor is not None:
            _say(f"stopped; --since {cursor} goes on from here")
        return INTERRUPTED
    raise AssertionError("follow has no end")


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


def _say(sentence: str) -> None:
    click.echo(f"hailuo-mock watch: {sentence}", err=True)
