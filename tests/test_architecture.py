"""ARCHITECTURE.md agrees with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_imports import LEVELS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def test_every_folder_is_listed_with_its_level() -> None:
    rows = re.findall(r"^\| (\d) \| `(\w+)/`", PAGE, re.MULTILINE)
    assert {room: int(level) for level, room in rows} == LEVELS


# What the file that answers a question must have in it.
ANSWERS = {
    "the price of hailuo-pro": '"price_credits"',
    "where a repeated create becomes a replay": "def task_of(",
    "what a 410 does": "attempt.status == 410",
    "which fault wins": "class FaultPlan(",
    "how `advance` wakes a held request": "async def advance(",
    "where a near name comes from": "def did_you_mean(",
    "the version of a snapshot": "format: Literal[",
    "where a third API goes": "ALL = (",
    "where a new effect of a fault goes": "Effect = (",
    "who fills the page's list": "async function readWorld(",
}


@pytest.mark.parametrize(("question", "answer"), ANSWERS.items())
def test_a_question_is_answered_by_one_file(question: str, answer: str) -> None:
    (path,) = re.findall(rf"^\| {re.escape(question)} \| `([^`]+)` \|$", PAGE, re.MULTILINE)
    assert answer in (ROOT / path).read_text("utf-8")


def test_every_named_file_exists() -> None:
    named = re.findall(r"`([\w/-]+/[\w.-]+\.\w+)`", PAGE)
    assert named
    homes = (ROOT, ROOT / "mock_server")
    assert [name for name in named if not any((home / name).exists() for home in homes)] == []


SECTIONS = dict(section.split("\n", 1) for section in PAGE.split("\n## "))


@pytest.mark.parametrize("title", SECTIONS)
def test_each_row_of_a_table_is_about_one_thing(title: str) -> None:
    section = SECTIONS[title]
    rows = re.findall(r"^\| (?:\d \| )?([^|]+) \|", section, re.MULTILINE)
    assert rows or "|" not in section
    names = [name for row in rows for name in row.split(", ")]
    assert [name for name in set(names) if names.count(name) > 1] == []
