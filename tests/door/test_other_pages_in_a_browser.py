"""Web pages of other origins in a real browser: which requests they can send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from mock_server import __version__
from tests.door.browser import REBOUND
from tests.live import Live, live
from tests.mock import KEY, MINIMAL, TOKEN

WORLD = "/_mock/worlds/default"
SEND = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return [answer.type, answer.status, await answer.text()];
  } catch (error) {
    return [error.name];
  }
}"""
SUBMIT = """url => {
  const form = document.createElement("form");
  Object.assign(form, { method: "POST", action: url, target: "elsewhere" });
  const frame = document.createElement("iframe");
  frame.name = "elsewhere";
  const loaded = new Promise(resolve => frame.addEventListener("load", resolve));
  document.body.append(frame, form);
  form.submit();
  return loaded.then(() => null);
}"""


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """The origin of a page that is none of the server's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Other</title>")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def send(page: Page, url: str, **options: Any) -> Any:
    """What a script on the page reads of an answer: type, status and text, or an error."""
    return page.evaluate(SEND, [url, options])


def tasks(server: Live) -> int:
    return len(httpx2.get(f"{server.url}{WORLD}/tasks").json()["tasks"])


def create(server: Live) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    created = httpx2.post(f"{server.url}/api/v1/generations", json=MINIMAL, headers=headers)
    assert created.status_code == 200


def test_a_page_of_another_origin_can_neither_reset_nor_read(page: Page, other: str) -> None:
    with live() as server:
        create(server)
        page.goto(other)
        reset = f"{server.url}{WORLD}/reset"
        assert send(page, reset, method="POST", mode="no-cors") == ["opaque", 0, ""]
        assert send(page, reset, method="POST") == ["TypeError"]
        page.evaluate(SUBMIT, reset)
        assert send(page, f"{server.url}/_mock/worlds") == ["TypeError"]
        assert tasks(server) == 1


def test_a_rebound_host_name_cannot_use_the_door(page: Page) -> None:
    with live() as server:
        create(server)
        rebound = server.url.replace("127.0.0.1", REBOUND)
        answer = page.goto(f"{rebound}/_mock/")
        assert answer is not None
        assert answer.status == 403
        # The APIs answer to every name, so this page is of the origin that is asked.
        page.goto(f"{rebound}/api/v1/models")
        type_, status, text = send(page, f"{rebound}/_mock/worlds")
        assert (type_, status) == ("basic", 403)
        assert KEY not in text
        assert send(page, f"{rebound}{WORLD}/reset", method="POST")[1] == 403
        assert tasks(server) == 1


def test_a_page_of_a_named_origin_can_use_apis_and_door(page: Page, other: str) -> None:
    with live(browser_origins=[other]) as server:
        page.goto(other)
        for path, key, body in (
            ("/api/v1/generations", KEY, '{"model": "hailuo-pro", "prompt": "Dusk"}'),
            ("/hailuo/videos", TOKEN, '{"action": "generate", "prompt": "Dusk", "async": true}'),
        ):
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            told = send(page, server.url + path, method="POST", headers=headers, body=body)
            assert told[:2] == ["cors", 200]
        assert tasks(server) == 2
        assert send(page, f"{server.url}{WORLD}/reset", method="POST")[:2] == ["cors", 200]
        assert tasks(server) == 0
        shown = "async url => (await fetch(url)).headers.get('mock-request')"
        assert page.evaluate(shown, f"{server.url}/api/v1/models").startswith("req_")


def test_the_apis_refuse_pages_of_other_origins_by_default(page: Page, other: str) -> None:
    with live() as server:
        page.goto(other)
        headers = {"Authorization": f"Bearer {KEY}"}
        assert send(page, f"{server.url}/api/v1/credits", headers=headers) == ["TypeError"]


def test_a_link_on_another_page_opens_the_page_for_people(page: Page, other: str) -> None:
    with live() as server:
        page.goto(other)
        page.set_content(f"<a href='{server.url}/_mock'>hailuo-mock</a>")
        page.get_by_text("hailuo-mock").click()
        page.wait_for_url(f"{server.url}/_mock/")
        expect(page.locator("body")).to_contain_text(__version__)  # it asked the door for it
