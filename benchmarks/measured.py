"""What a measurement brings, and how it says that it brought nothing."""

from __future__ import annotations

from dataclasses import dataclass


class CannotMeasure(Exception):
    """A figure would not mean what it says: wrong answers, missing answers, a server that died."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure, in the unit of the budget with the same key.

    bare: the same of the bare app, where that makes sense.
    note: what a reader needs beside the figure, in a sentence.
    """

    key: str
    value: float
    bare: float | None = None
    note: str = ""
