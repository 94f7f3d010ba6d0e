"""Uses the built manual in a browser, from the disk and without the network: its search, its pages.

    make docs && python -m tools.manual.check [FOLDER]    FOLDER: pictures of some pages go there

Exit code 0: every search found its page; 1: one did not, or a page asked for the network.
Needs the browser that `make test` unpacks, or an installed one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, Route, sync_playwright

from tests.door.browser import browser_program
from tools.manual.__main__ import SITE

SEARCHES = {
    "lost_answer": "reference/scenarios/lost_answer.html",
    "createGeneration": "reference/operations/createGeneration.html",
    "HM101": "reference/rules/HM101.html",
    "rivya.rate_limit": "reference/settings/rivya.rate_limit.html",
    "delivery": "reference/effects/delivery.html",
    "add_fault": "reference/door/add_fault.html",
    "both-queued-time": "reference/assumptions/both-queued-time.html",
    "WireMock": "docs/coming-from/wiremock.html",
    "callback does not come": "docs/troubleshooting.html",
}
"""What is typed, and the page that must be among the results."""
PICTURES = ("index", "docs/start/python", "docs/coming-from/prism", "docs/troubleshooting",
            "reference/operations/createGeneration", "reference/scenarios/lost_answer")  # fmt: skip
PATIENCE_MS = 20_000


def main() -> int:
    """Search for everything. Returns the exit code."""
    program = browser_program()
    if program is None:
        raise SystemExit("no Chromium: install one, or run make test")
    path, environment = program
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, env={**os.environ, **environment}, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.route(lambda url: not url.startswith(("file:", "data:")), refuse)
        missed = [text for text, goal in SEARCHES.items() if not _finds(page, text, goal)]
        for name in PICTURES if len(sys.argv) > 1 else ():
            page.goto((SITE / f"{name}.html").as_uri())
            page.screenshot(path=Path(sys.argv[1]) / f"{name.replace('/', '-')}.png")
        browser.close()
    for text in missed:
        print(f"the search for {text!r} does not find {SEARCHES[text]}", file=sys.stderr)
    for url in dict.fromkeys(asked):
        print(f"a page asked for {url}", file=sys.stderr)
    print(f"{len(SEARCHES)} searches, {len(missed)} without their page; {len(asked)} requests")
    return 1 if missed or asked else 0


def _finds(page: Page, text: str, goal: str) -> bool:
    """Whether a search has this page among its results."""
    page.goto(f"{(SITE / 'search.html').as_uri()}?q={quote(text)}")
    page.wait_for_function(
        "() => document.querySelector('.search-summary')?.textContent.match(/found|match/)",
        timeout=PATIENCE_MS,
    )
    links = page.locator("ul.search a").evaluate_all("found => found.map(each => each.href)")
    return any(link.split("#")[0].split("?")[0].endswith(f"/{goal}") for link in links)


if __name__ == "__main__":
    sys.exit(main())
