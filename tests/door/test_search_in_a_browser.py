"""The search, the chips, the pages and the keys of the page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.door.axe import violations
from tests.door.browser import Open, door, requests_of, rivya
from tests.door.test_story_in_a_browser import eventful, picture
from tests.live import Live, live
from tests.mock import KEY, MINIMAL


@pytest.fixture
def server() -> Iterator[Live]:
    with live(rivya__rate_limit=0) as server:
        yield server


def test_an_id_of_a_log_leads_to_the_story(server: Live, visit: Open) -> None:
    answer = rivya(server)
    rivya(server, MINIMAL | {"prompt": "another"})
    page = visit(server.url)
    page.get_by_role("tab", name="Tasks").click()
    page.keyboard.press("Escape")
    page.get_by_label("Search tasks").fill(answer.headers["mock-request"])
    expect(page.locator(".tasks > li")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".story-sum")).to_contain_text(answer.json()["id"])


def test_chips_select_and_are_in_the_link(server: Live, visit: Open) -> None:
    rivya(server)
    rivya(server, key=f"{KEY}+insufficient_credits")
    page = visit(server.url)
    expect(requests_of(page)).to_have_count(2)
    page.get_by_role("button", name="Failed").click()
    expect(requests_of(page).locator(".status")).to_have_text(["402"])
    expect(requests_of(page).locator(".gist")).to_contain_text("insufficient_credits")
    other = visit(server.url)
    other.goto(page.url)
    expect(other.get_by_role("button", name="Failed")).to_have_attribute("aria-pressed", "true")
    expect(requests_of(other)).to_have_count(1)
    page.get_by_role("button", name="Failed").click()
    page.get_by_role("button", name="Charged").click()
    expect(requests_of(page)).to_have_count(1)
    expect(requests_of(page).locator(".gist")).to_contain_text("57 cr · A cinematic")
    picture(page, "chips")


def test_pages_lead_to_the_first_task(server: Live, visit: Open) -> None:
    first = rivya(server, MINIMAL | {"prompt": "the very first"}).json()["id"]
    for _ in range(404):
        rivya(server)
    page = visit(server.url)
    page.get_by_role("tab", name="Tasks").click()
    expect(page.locator("#tab-tasks .count")).to_have_text("405")
    older = page.get_by_role("button", name="Show older tasks")
    for shown in (400, 405):
        older.click()
        expect(page.locator(".tasks > li")).to_have_count(shown)
    expect(older).to_be_hidden()
    expect(page.locator(".tasks > li").last).to_contain_text("the very first")
    rivya(server, MINIMAL | {"prompt": "the newest"})
    expect(page.locator(".tasks > li")).to_have_count(406)
    expect(page.locator(".tasks > li").last).to_contain_text(first)
    page.get_by_label("Search tasks").fill("very first")
    expect(page.locator(".tasks > li")).to_have_count(1)


def test_looks_are_one_row(server: Live, visit: Open) -> None:
    eventful(server)
    page = visit(server.url)
    expect(requests_of(page)).to_have_count(5)
    expect(requests_of(page).nth(1).locator(".gist")).to_have_text("20 looks")


def test_a_reset_forgets_older_pages(server: Live, visit: Open) -> None:
    for _ in range(205):
        rivya(server)
    page = visit(server.url, expected=("status of 503", "status of 400"))
    page.get_by_role("tab", name="Tasks").click()
    page.get_by_role("button", name="Show older tasks").click()
    expect(page.locator(".tasks > li")).to_have_count(205)
    door(server, "POST", "/reset")
    expect(page.locator(".tasks > li")).to_have_count(0)


def test_the_keys(server: Live, visit: Open) -> None:
    for _ in range(3):
        rivya(server)
    page = visit(server.url)
    expect(requests_of(page)).to_have_count(3)
    page.keyboard.press("/")
    expect(page.get_by_label("Search requests")).to_be_focused()
    page.get_by_label("Search requests").blur()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(requests_of(page).nth(1).get_by_role("button").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(requests_of(page).first.get_by_role("button").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("to the search")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
