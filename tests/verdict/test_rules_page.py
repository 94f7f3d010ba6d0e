"""docs/judge-rules.md says what the rules are."""

from __future__ import annotations

from pathlib import Path

from mock_server.verdict.catalogue import RULES, needs_of
from mock_server.verdict.rule import Rule
from mock_server.verdict.traps import TRAPS

PAGE = Path(__file__).parents[2] / "docs/judge-rules.md"
GROUPS = ("paying twice", "retrying", "waiting", "fetching", "receiving")


def row(rule: Rule) -> str:
    """The row of a rule in the table of its group."""
    kind = "note" if rule.is_note else "finding, else note" if rule.note_without else "finding"
    without = "".join(f" Without {need.sentence} it is a note." for need in rule.note_without)
    traps = ", ".join(map(str, rule.traps))
    cells = (rule.code, rule.name, rule.mistake, kind, needs_of(rule) + without, traps)
    return f"| {' | '.join(cells)} |"


def test_the_page_has_every_rule_in_the_table_of_its_group() -> None:
    page = PAGE.read_text("utf-8")
    found = {group: _rows_below(page, f"## {group.capitalize()}") for group in GROUPS}
    wanted = {
        group: [row(rule) for rule in RULES.values() if rule.group == group] for group in GROUPS
    }
    assert found == wanted, "\n".join(row(rule) for rule in RULES.values())


def test_the_page_names_the_rules_whose_findings_stand() -> None:
    _, _, rest = PAGE.read_text("utf-8").partition("kept in the end: ")
    named = rest.partition(".")[0].replace("\n", " ").split(", ")
    assert named == [code for code, rule in RULES.items() if rule.stands]


def test_the_page_has_every_trap() -> None:
    page = PAGE.read_text("utf-8")
    assert _rows_below(page, "## Traps") == [f"| {n} | {text} |" for n, text in TRAPS.items()]


def _rows_below(page: str, heading: str) -> list[str]:
    _, _, section = page.partition(f"{heading}\n")
    lines = section.partition("\n## ")[0].splitlines()
    return [line for line in lines if line.startswith("| ")][2:]
