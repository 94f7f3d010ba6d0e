"""Writes the table of the corpus into its page of the manual."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mock_server.verdict.rule import Rule
from tests.judge.confusion import Row, Table

_FIGURES = re.compile(r"^With \d+ seeds?, in .*?\.$\n", re.MULTILINE | re.DOTALL)
_ROWS = re.compile(r"^(\| HM\d+ \|.*\n)+", re.MULTILINE)


def has_figures(page: str) -> bool:
    """Whether a page has one place for the figures, and one table of rules."""
    return len(_FIGURES.findall(page)) == len(_ROWS.findall(page)) == 1


def page_with(page: str, table: Table, rules: Mapping[str, Rule], seeds: int, took_s: float) -> str:
    """The page, which `has_figures`, with these ones in place of its own."""
    hit, runs = sum(row.hit for row in table.rows), sum(row.runs for row in table.rows)
    figures = (
        f"With {seeds} seed{'s' * (seeds != 1)}, in {took_s:.0f} s: {hit} of {runs} mistakes were "
        f"found ({100 * table.recall:.1f} %),\nand {len(table.false_alarms)} of "
        f"{table.correct_runs} judgements of correct clients had a finding.\n"
    )
    rows = "".join(_row(row, rules[row.code]) for row in table.rows)
    return _ROWS.sub(lambda _: rows, _FIGURES.sub(lambda _: figures, page))


def _row(row: Row, rule: Rule) -> str:
    name = rule.name + (" (note)" if rule.is_note else "")
    return f"| {row.code} | {name} | {row.clients} | {row.hit} | {row.missed} | {row.accused} |\n"
