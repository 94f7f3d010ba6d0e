"""The result of a measurement, and the error when there is none."""

from __future__ import annotations

from dataclasses import dataclass


class CannotMeasure(Exception):
    """A figure would be wrong: answers are wrong or missing, or a server has ended."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, in the unit of the budget with the same key.

    bare: the figure of the bare app, if it has one. note: a sentence for the reader.
    """

    key: str
    value: float
    bare: float | None = None
    note: str = ""
