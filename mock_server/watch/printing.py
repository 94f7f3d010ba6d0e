"""Prints the changes of a world: lines for people, or JSON."""

from collections.abc import Iterable
from datetime import date

import click
import msgspec

from mock_server.control.history_answers import Change, StoryRequest
from mock_server.watch.lines import Line, Looks, line_of, look_in

_TO_LINE_START = "\r\x1b[K"
"""Moves to the start of the terminal's line, and empties it."""


class JsonPrinter:
    """Prints each change as a line of JSON (NDJSON), as the control door has it."""

    def show(self, changes: Iterable[Change]) -> None:
        """Print these changes."""
        for change in changes:
            click.echo(msgspec.json.encode(change))

    def end_line(self) -> None:
        """Does nothing: no line is open."""


class LinePrinter:
    """Prints a line for each change, and one for successive reads of tasks.

    In a terminal the line of the reads is shown at once, and counts. Elsewhere it is written when
    something else has happened.
    """

    def __init__(self, *, is_terminal: bool, colour: bool) -> None:
        self._is_terminal = is_terminal
        self._colour = colour
        self._looks: Looks | None = None
        self._day: date | None = None

    def show(self, changes: Iterable[Change]) -> None:
        """Print these changes."""
        for change in changes:
            if (look := look_in(change)) is not None:
                self._add(look)
            elif (line := line_of(change)) is not None:
                self.end_line()
                self._print_day(change)
                self._print(line)
        if self._looks is not None and self._is_terminal:
            self._print(self._looks.line(), ends=False)

    def end_line(self) -> None:
        """Print the line of the reads so far, with its end."""
        if self._looks is not None:
            self._print(self._looks.line())
            self._looks = None

    def _add(self, look: StoryRequest) -> None:
        if self._looks is None:
            self._print_day(look)
            self._looks = Looks(look)
        else:
            self._looks.add(look)

    def _print_day(self, change: Change) -> None:
        """Print the day of the world's time if it is another one than before."""
        if change.at.date() != self._day:
            self._day = change.at.date()
            self._print(Line(f"{self._day}", "bright_black"))

    def _print(self, line: Line, *, ends: bool = True) -> None:
        """Print a line. In a terminal it replaces the line that has no end yet."""
        text = click.style(line.text, fg=line.colour) if self._colour else line.text
        start = _TO_LINE_START if self._is_terminal else ""
        click.echo(start + text, nl=ends, color=self._is_terminal)
