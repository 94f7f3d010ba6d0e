"""One change of a world as one line for people."""

from typing import assert_never

from msgspec import Struct

from mock_server.control import history_answers as shown
from mock_server.control.history_answers import Change
from mock_server.core.printable import printable

WIDTH = 80
_CREDITS_WIDTH = 8
_WHAT_WIDTH = 18
"""With the time and the credits it leaves 36 columns: the length of the longest id."""


class Line(Struct, frozen=True):
    """A line of at most WIDTH columns. colour: a name of click's; None: that of the terminal."""

    text: str
    colour: str | None = None


class Looks(Struct):
    """Successive reads of tasks. at_one: whether all were of the same task."""

    first: shown.StoryRequest
    count: int = 1
    at_one: bool = True

    def add(self, look: shown.StoryRequest) -> None:
        """Count one more."""
        self.count += 1
        self.at_one = self.at_one and look.task == self.first.task

    def line(self) -> Line:
        """One line for all of them, at the time of the first."""
        what = "1 look" if self.count == 1 else f"{self.count} looks"
        about = self.first.task if self.at_one else None
        return Line(_row(self.first, what, about or "several tasks"), "bright_black")


def look_in(change: Change) -> shown.StoryRequest | None:
    """The change, if it is a read of tasks that was answered with them."""
    match change:
        case shown.StoryRequest(operation="read", status=200):
            return change
    return None


def line_of(change: Change) -> Line | None:
    """The line of a change; None for the beginning of a request, which has a line when it ends."""
    match change:
        case shown.StoryRequestStarted():
            return None
        case shown.StoryRequest() | shown.StoryDownload():
            return _request(change)
        case shown.StoryLedgerRow():
            return _ledger(change)
        case shown.StoryState():
            colours = {"succeeded": "green", "failed": "red"}
            by = " by hand" if change.by == "hand" else ""
            return Line(_row(change, change.state + by, change.task), colours.get(change.state))
        case shown.StoryDelivery(given_up=None):
            return Line(_row(change, change.event, change.delivery))
        case shown.StoryDelivery():
            return Line(_row(change, change.event, f"given up: {change.given_up}"), "red")
        case shown.StoryAttempt():
            return _attempt(change)
        case shown.StoryClockMove():
            return Line(_row(change, "clock", _clock(change)), "cyan")
        case shown.StoryFault():
            return _fault(change)
        case _:
            assert_never(change)


def _request(change: shown.StoryRequest | shown.StoryDownload) -> Line:
    operation = change.operation or "other"
    result = f" {change.status}" if change.status is not None else ""
    ended = "" if change.ended_by == "answered" else f" {change.ended_by or 'under way'}"
    replay = "  replay" if change.replay_of else ""
    is_wrong = bool(ended) or (change.status or 0) >= 400
    what = f"{change.method} {operation}{result}{ended.replace('_', ' ')}"
    return Line(_row(change, what, change.request + replay), "red" if is_wrong else None)


def _ledger(change: shown.StoryLedgerRow) -> Line:
    what = change.moved.replace("_", " ")
    if change.moved == "spent":  # they were held before: what is available stays the same
        what += f" {change.amount}"
    credits = f"{change.change:+}" if change.change else ""
    return Line(_row(change, what, change.task or change.account, credits), "blue")


def _attempt(change: shown.StoryAttempt) -> Line:
    number = change.attempt.rpartition("_")[2]
    colour = {"succeeded": "green", "failed": "red"}.get(change.state, "yellow")
    outcome = change.error if change.status is None else change.status
    last = " failed" if change.state == "failed" else ""
    return Line(_row(change, f"attempt {number}: {outcome}{last}", change.delivery), colour)


def _fault(change: shown.StoryFault) -> Line:
    name = change.scenario or change.fault
    if change.what != "bitten":
        return Line(_row(change, f"fault {change.what}", name), "magenta")
    about = change.request if change.concerns == "answer" else change.task
    return Line(_row(change, f"fault {name}", about or ""), "magenta")


def _clock(change: shown.StoryClockMove) -> str:
    to = f"{change.to:%Y-%m-%d %H:%M:%S}"
    if change.mode == "frozen":
        return f"frozen at {to}"
    return f"runs from {to}" + (f", {change.scale:g} times as fast" if change.scale != 1 else "")


def _row(change: Change, what: str, about: str, credits: str = "") -> str:
    at = f"{change.at:%H:%M:%S}.{change.at.microsecond // 1000:03}"
    text = f"{at}  {credits:>{_CREDITS_WIDTH}}  {what:<{_WHAT_WIDTH}}  {about}"
    text = printable(text).rstrip()
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
