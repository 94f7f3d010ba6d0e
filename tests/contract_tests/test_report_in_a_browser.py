"""The page of a report in a real browser: it fits a small screen, and has an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from contract_tests.report import files
from tests.door.browser import HOSTILE, NARROW, WIDE, browser

__all__ = ["browser"]

LONG = "x" * 500
_FINDING = {
    "id": f"rivya.rule.{LONG}", "promise": f"{HOSTILE} {LONG}", "source": LONG, "place": LONG,
    "blame": LONG, "expected": LONG, "got": HOSTILE, "curl": f"curl -s -i \\\n  {LONG}",
    "status": 200, "answer": LONG, "check": LONG, "seed": 1,
}  # fmt: skip
_ROW = {"promise": LONG, "source": LONG, "checked": 10**9, "verdict": "held"}
_LEFT_OUT = {"check": LONG, "reason": LONG, "outcome": "skipped"}
_RESULT: dict[str, Any] = {
    "target": LONG, "apis": ["rivya", "acedata"], "profile": "full", "quick": True, "seed": 1,
    "exit_code": 1, "incomplete": LONG, "took_s": 1.5, "requests": 10**9, "max_credits": 10**9,
    "planned_credits": 10**9, "spent_credits": 10**9, "promises": [_ROW] * 3,
    "findings": [_FINDING] * 2, "refuted": [_FINDING], "checks": [_LEFT_OUT],
    "left_out": [_LEFT_OUT],
    "reached": {
        "operations": 1, "of_operations": 2, "statuses": 1, "of_statuses": 2, "keywords": 1,
        "of_keywords": 2, "never": [LONG] * 3, "never_keywords": [LONG] * 3,
    },
}  # fmt: skip
_OUTSIDE = """() => [...document.querySelectorAll("body *")]
  .filter(each => each.getBoundingClientRect().right > innerWidth)
  .map(each => each.tagName)"""


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    path = tmp_path / "report.html"
    path.write_text(files.page(_RESULT), "utf-8")
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(path.as_uri())
    yield opened
    context.close()


@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_nothing_is_wider_than_the_screen(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(_OUTSIDE) == []


def test_the_index_leads_to_each_finding_and_each_section(page: Page) -> None:
    links = page.locator("nav a")
    assert links.count() == 3 + 3
    for link in links.all():
        link.click()
        target = page.locator(str(link.get_attribute("href")))
        assert target.evaluate("each => each.getBoundingClientRect().top < innerHeight")
    assert page.title() == f"Contract: {LONG}"  # no text of an answer is run
