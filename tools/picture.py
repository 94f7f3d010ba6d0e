"""Makes docs/page.png, the picture of the README: the page with a refused request opened.

    python -m tools.picture

Needs the browser that `make test` unpacks, or an installed one.
"""

from __future__ import annotations

import os
from pathlib import Path

import httpx2
from playwright.sync_api import expect, sync_playwright

from tests.door.browser import browser_program
from tests.live import live
from tests.mock import KEY, MINIMAL

PICTURE = Path(__file__).parent.parent / "docs" / "page.png"
SIZE = (1200, 640)


def main() -> None:
    """Exits with a sentence if there is no browser."""
    program = browser_program()
    if program is None:
        raise SystemExit("no Chromium: install one, or run make test")
    path, environment = program
    with live() as mock, sync_playwright() as playwright:
        order = MINIMAL | {"prompt": "Slow dolly towards a lighthouse at dusk"}
        url, headers = f"{mock.url}/api/v1/generations", {"authorization": f"Bearer {KEY}"}
        task_id = httpx2.post(url, json=order, headers=headers).json()["id"]
        refused = order | {"params": {"prompt_optimiser": True}}
        httpx2.post(url, json=refused, headers=headers)
        poor = {"authorization": f"Bearer {KEY}+insufficient_credits"}
        httpx2.post(url, json=order, headers=poor)
        httpx2.get(f"{url}/{task_id}", headers=headers)
        mock.advance(2)
        httpx2.get(f"{url}/{task_id}", headers=headers)
        browser = playwright.chromium.launch(
            executable_path=path, env={**os.environ, **environment}, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(f"{mock.url}/_mock/")
        page.get_by_text("400", exact=True).click()
        expect(page.get_by_text("did you mean").first).to_be_visible()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
