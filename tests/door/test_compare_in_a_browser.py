"""Any two requests beside each other, and one beside an exchange that was recorded elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.door.browser import HOSTILE, Open, hostile_elements, requests_of, rivya
from tests.live import Live, live
from tests.mock import MINIMAL
from tests.rows import each_row

REAL_KEY, OTHER_KEY, SHORT_KEY = "4f9a2c71-dd02-41f5", "rvya_sk_live_8c7b6a5d", "0xyz0"
"""One is known by its header alone, one by its form, one is too short to be looked for."""


@pytest.fixture
def server() -> Iterator[Live]:
    with live() as server:
        yield server


@pytest.fixture
def page(server: Live, visit: Open) -> Page:
    return visit(server.url)


def make(server: Live, *prompts: str) -> list[str]:
    """The ids of creates with these prompts."""
    return [
        rivya(server, MINIMAL | {"prompt": prompt}).headers["mock-request"] for prompt in prompts
    ]


def rows(page: Page) -> dict[str, list[str]]:
    """What differs: its name, and both values with their signs."""
    cells = page.locator(".comparison tbody tr").evaluate_all(
        "all => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return {name: values for name, *values in cells}


def test_two_freely_chosen_requests_are_compared_and_have_an_address(
    server: Live, visit: Open
) -> None:
    first, _, third = make(server, "a red fox", "a blue whale", HOSTILE)
    page = visit(server.url)
    requests_of(page).last.get_by_role("button").first.click()
    page.get_by_role("button", name="Compare with another").click()
    expect(page.get_by_label("Second request")).to_be_focused()
    page.get_by_role("button", name=third).click()
    expect(page.get_by_role("table")).to_be_visible()
    found = rows(page)
    assert found["request /prompt"] == ['≠ "a red fox"', f"≠ {json.dumps(HOSTILE)}"]
    assert set(found) == {"request /prompt", "answer /id"}
    assert hostile_elements(page) == []
    other = visit(server.url)
    other.goto(page.url)
    expect(other.get_by_role("table")).to_be_visible()
    assert rows(other) == found
    other.get_by_role("table").get_by_role("button", name=first).click()
    expect(other.locator(".requests .because")).to_have_text("Every rule was kept.")
    other.go_back()
    expect(other.get_by_role("table")).to_be_visible()


def test_an_unknown_id_is_said(server: Live, visit: Open) -> None:
    (first,) = make(server, "a red fox")
    page = visit(server.url, expected=("status of 404",))
    page.evaluate(f"location.hash = '#/default/compare/{first}?with=req_none'")
    expect(page.locator("#compare").get_by_role("alert")).to_contain_text("no request")
    expect(page.get_by_role("table")).to_have_count(0)


def recorded(server: Live, **changes: Any) -> dict[str, Any]:
    """A HAR file of the real service, with its secrets."""
    har: dict[str, Any] = httpx2.get(
        f"{server.url}/_mock/worlds/default/requests?format=har"
    ).json()
    (entry,) = har["log"]["entries"]
    entry["request"]["url"] = f"https://rivya.example/api/v1/generations?token={REAL_KEY}&n=1"
    headers = [
        ["Authorization", f"Bearer {REAL_KEY}"],
        ["Cookie", "session=abcdefgh"],
        ["X-Api-Key", SHORT_KEY],
    ]
    entry["request"]["headers"] += [{"name": name, "value": value} for name, value in headers]
    body = MINIMAL | {
        "prompt": f"with {REAL_KEY} {OTHER_KEY}",
        "extra": {"api_key": "hush"},
        "b": HOSTILE,
    }
    entry["request"]["postData"]["text"] = json.dumps(body)
    entry["response"]["status"] = 202
    return har


def open_file(page: Page, name: str, content: bytes) -> None:
    file = FilePayload(name=name, mimeType="application/json", buffer=content)
    page.get_by_label("Or a HAR file").set_input_files(file)


def test_a_request_is_compared_with_a_recorded_one_and_no_secret_is_shown(
    server: Live, visit: Open
) -> None:
    (first,) = make(server, "a red fox")
    page = visit(server.url)
    page.evaluate("location.hash = '#/default/compare'")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    open_file(page, "real.har", json.dumps(recorded(server)).encode())
    page.get_by_role("button", name=first).click()
    expect(page).to_have_url(re.compile(f"/compare/{first}$"))
    page.get_by_role("button", name="Compare", exact=True).click()  # the file stays
    expect(page.get_by_role("table")).to_be_visible()
    found = rows(page)
    assert found["answer"] == ["≠ 200", "≠ 202"]
    assert found["request"][1] == "≠ POST /api/v1/generations?token=[redacted]&n=1"
    assert found["request /prompt"][1] == '≠ "with [redacted] [redacted]"'
    assert found["request /extra/api_key"] == ["− absent", '+ "[redacted]"']
    assert "request header authorization" not in found  # both are replaced
    assert found["request header cookie"][1] == "+ [redacted]"
    shown = page.content()
    assert [
        each for each in (REAL_KEY, OTHER_KEY, SHORT_KEY, "abcdefgh", "hush") if each in shown
    ] == []
    assert [each for each in asked if "rivya.example" in each or REAL_KEY in each] == []
    assert hostile_elements(page) == []


@each_row(
    "content, says",
    [
        (b"{", "is no JSON, so it is no HAR file"),
        (b'{"log": {"entries": [{}]}}', "log.entries[0] has no request with a method and a URL"),
        (b"[]", 'has no list "entries" in "log"'),
        (b'{"log": {"entries": [{"request": {"url": "x", "method": "GET"}}]}}', "log.entries[0]"),
        (b'{"log": {"entries": []}}', "has no exchanges"),
    ],
)
def test_a_file_that_is_no_har_is_refused(page: Page, content: bytes, says: str) -> None:
    page.evaluate("location.hash = '#/default/compare'")
    open_file(page, "x.har", content)
    expect(page.locator("#compare").get_by_role("alert")).to_contain_text(says)
