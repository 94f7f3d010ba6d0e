"""Prints the figures with their budgets, as a table or as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.budgets import BUDGETS
from benchmarks.figures import Figure


def show(figures: Sequence[Figure], failures: Sequence[str], others: float) -> None:
    """Print the table to standard output, with colours only on a terminal without NO_COLOR.

    others: the part of the machine's CPU time that other programs used, 0 to 1.
    """
    console = Console(highlight=False)
    console.width = min(console.width, 100)
    console.print(_table(figures))
    for figure in figures:
        if figure.note:
            console.print(Text(f"{BUDGETS[figure.key].what}: {figure.note}"))
    console.print(f"other programs used {others:.0%} of the machine's CPUs during the run")
    for failure in failures:
        console.print(Text(f"could not measure {failure}", style="bold red"))


def as_data(figures: Sequence[Figure], failures: Sequence[str], others: float) -> dict[str, Any]:
    """The figures as plain data."""
    return {
        "figures": [_row(figure) for figure in figures],
        "cpu_used_by_others": others,
        "could_not_measure": list(failures),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def all_hold(figures: Sequence[Figure]) -> bool:
    """Whether every figure is within its budget."""
    return all(BUDGETS[figure.key].holds(figure.value) for figure in figures)


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("what")
    for heading in ("measured", "bare", "budget"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("holds", no_wrap=True)
    for figure in figures:
        budget = BUDGETS[figure.key]
        holds = budget.holds(figure.value)
        table.add_row(
            budget.what,
            _text(figure.value, budget.unit),
            "" if figure.bare is None else _text(figure.bare, budget.bare_unit),
            f"{budget.bound.value} {_text(budget.limit, budget.unit)}",
            Text("yes", style="green") if holds else Text("NO", style="bold red"),
        )
    return table


def _text(value: float, unit: str) -> str:
    """The value with its unit: three significant digits, or all digits of a large number."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    gap = "" if unit in {"", "/s"} else " "
    return f"{value:,.{digits}f}{gap}{unit}"


def _row(figure: Figure) -> dict[str, Any]:
    budget = BUDGETS[figure.key]
    return {
        "key": figure.key,
        "what": budget.what,
        "value": figure.value,
        "unit": budget.unit,
        "bare": figure.bare,
        "bare_unit": budget.bare_unit,
        "bound": budget.bound.value,
        "limit": budget.limit,
        "holds": budget.holds(figure.value),
        "note": figure.note,
    }
