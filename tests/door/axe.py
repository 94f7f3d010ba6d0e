"""axe-core in a page of a browser: the rules for accessibility that it breaks."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.door.browser import ROOT

_SOURCE = ROOT / "tools" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async (values) => {
  const runOnly = values === null ? {} : { runOnly: { type: "rule", values } };
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...runOnly });
  return violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html.slice(0, 160))]);
}"""


@cache
def _source() -> str:
    if not _SOURCE.exists():
        pytest.skip("no axe-core: run `make test`")
    return _SOURCE.read_text("utf-8")


def violations(page: Page, only: list[str] | None = None) -> Any:
    """The broken rules, each with the elements that break it. only: the rules to check."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {_source()} }}")
    return page.evaluate(_RUN, only)
