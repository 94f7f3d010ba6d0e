"""A real browser for tests of pages, and what the tests of the page share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.live import WAIT_S, Live
from tests.mock import KEY, MINIMAL

ROOT = Path(__file__).parent.parent.parent
UNPACKED = ROOT / "tools" / "browser" / "chromium"
INSTALLED = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
CORPUS = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<b>&amp;</b> it's",
    "<script>document.title='owned'</script>",
    "\"><svg onload=document.title='owned'>",
    "</textarea></select></dialog><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "<a href=\"javascript:document.title='owned'\">x</a>",
    "<style>main{display:none}</style>",
    "' autofocus onfocus=document.title='owned' x='",
    "{{constructor.constructor('document.title=1')()}}${document.title=1}",
    "<math><mi//xlink:href='data:x,<script>document.title=1</script>'>",
]
HOSTILE = " ".join(CORPUS)
"""Text that becomes elements or code if a page reads it as HTML."""
REBOUND = "rebind.example"
"""A name that leads to this machine, in this browser."""
WIDE, NARROW = (1280, 860), (400, 860)

Open = Callable[..., Page]


def browser_program() -> tuple[Path, dict[str, str]] | None:
    """The browser that `make test` unpacks, else one that is installed; and its environment."""
    unpacked = UNPACKED / "chromium"
    if unpacked.exists():
        libraries = {"LD_LIBRARY_PATH": str(UNPACKED / "lib")}
        return unpacked, libraries | {"FONTCONFIG_FILE": str(UNPACKED / "fonts.conf")}
    for name in INSTALLED:
        if found := shutil.which(name):
            return Path(found), {}
    return None


expect.set_options(timeout=WAIT_S * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = browser_program()
    if program is None:
        pytest.skip("no Chromium: install one, or on Linux (x86-64) run `make test`")
    path, environment = program
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            env={**os.environ, **environment},
            args=[
                "--no-sandbox",  # it runs as root where the tests do; what it is shown is ours
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


class Watched:
    """Collects errors in the console and requests to other hosts.

    expected: parts of complaints that are asked for; the browser writes down each answer from 400
    on, and each that did not come.
    """

    def __init__(self, page: Page, host: str, expected: tuple[str, ...]) -> None:
        self.complaints: list[str] = []
        self._host = host
        self._expected = expected
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(
            expected in message.text for expected in self._expected
        ):
            self.complaints.append(message.text)

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self._host and not request.url.startswith("data:"):
            self.complaints.append(f"asked for {request.url}")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens the page of a server. At the end it must have made no error."""
    watched: list[Watched] = []
    contexts = []

    def open_page(
        url: str,
        size: tuple[int, int] = WIDE,
        *,
        expected: tuple[str, ...] = (),
        is_locked: bool = False,
    ) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.set_default_timeout(WAIT_S * 1000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        watched.append(Watched(page, urlsplit(url).netloc, expected))
        page.goto(f"{url}/_mock/")
        if not is_locked:
            expect(page.locator("#connection")).to_have_text("Live")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [complaint for each in watched for complaint in each.complaints] == []


def rivya(server: Live, body: Any = MINIMAL, *, key: str = KEY) -> httpx2.Response:
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{server.url}/api/v1/generations", headers=headers, json=body)


def door(server: Live, method: str, path: str, body: Any = None) -> Any:
    url = f"{server.url}/_mock/worlds/default{path}"
    return httpx2.request(method, url, json=body).raise_for_status().json()


def hostile_elements(page: Page) -> Any:
    """What HOSTILE has become in the page: nothing, if it stayed text."""
    assert page.title().endswith("hailuo-mock")
    return page.evaluate(
        """[...document.querySelectorAll("main *, dialog *")]
          .filter((each) =>
            each.matches("img, script, svg, iframe, style, math, [autofocus]") ||
            each.matches("a[href^='javascript']") ||
            (each.matches("b") && each.textContent === "&") ||
            [...each.attributes].some(({ name }) => name.startsWith("on")))
          .map((each) => each.outerHTML)"""
    )


def requests_of(page: Page) -> Any:
    return page.locator(".requests > li")
