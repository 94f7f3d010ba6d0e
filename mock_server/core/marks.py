"""Notes what changes in a world, so that a copy of it elsewhere can follow."""

from collections.abc import Callable, Hashable
from itertools import islice
from typing import Literal

Kind = Literal[
    "account",
    "asked_faults",
    "credential",
    "delivery",
    "endpoint",
    "faults",
    "file",
    "history",
    "idempotency",
    "inbox",
    "journal",
    "rate",
    "state",
    "task",
    "task_faults",
    "world",
]
"""A kind of thing in a world. `history`: moves of the clock, and faults armed, removed and bitten.
`state`: everything small that a world has once. `world`: how it was made, and its keys."""

Subjects = dict[Kind, dict[Hashable, None]]
"""Ids of things by their kind, each once, in order; an empty text for a kind that a world has
once."""


def _ignore() -> None:
    pass


class Marks:
    """What has changed in a world, each thing once, those of a kind in the order of their changes.

    Nothing is noted until `listen` is called, because most worlds have no copy.
    now: what a copy must have before anybody is told of it. later: what it may have a moment
    later, such as how often a task was read. has_journal: whether the copy has the journal.
    """

    __slots__ = ("_on_later", "_on_now", "has_journal", "is_on", "later", "now")

    def __init__(self) -> None:
        self.is_on = self.has_journal = False
        self.now: Subjects = {}
        self.later: Subjects = {}
        self._on_now = self._on_later = _ignore

    def listen(self, on_now: Callable[[], None], on_later: Callable[[], None]) -> None:
        """Note every change from now on. on_now, on_later: called at the first of each sort."""
        self.is_on = True
        self._on_now, self._on_later = on_now, on_later

    def mark(self, kind: Kind, subject: Hashable = "") -> None:
        """Note that this has changed, is new, or is gone."""
        if self.is_on:
            _note(self.now, kind, subject, self._on_now)

    def mark_later(self, kind: Kind, subject: Hashable = "") -> None:
        """Note a change that no answer or event tells, or that follows from the time."""
        if self.is_on:
            _note(self.later, kind, subject, self._on_later)

    def take(self, most_later: int | None) -> Subjects:
        """Take all of `now`, and the first `most_later` of `later`; None: all of both."""
        taken, self.now = self.now, {}
        left: Subjects = {}
        for kind, subjects in self.later.items():
            for subject in taken.get(kind, ()):
                subjects.pop(subject, None)
            some = list(islice(subjects, most_later))
            if some:
                taken.setdefault(kind, {}).update(dict.fromkeys(some))
                for subject in some:
                    del subjects[subject]
            if subjects:
                left[kind] = subjects
        self.later = left
        return taken


def _note(
    subjects_of: Subjects, kind: Kind, subject: Hashable, on_first: Callable[[], None]
) -> None:
    subjects = subjects_of.get(kind)
    if subjects is None:
        if not subjects_of:
            on_first()
        subjects = subjects_of[kind] = {}
    subjects[subject] = None
