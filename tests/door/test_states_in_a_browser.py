"""The page in each of its states: axe-core finds nothing, it fits its window, a picture is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.door.axe import violations
from tests.door.browser import Open, door, requests_of, rivya
from tests.door.test_story_in_a_browser import DESK, eventful, picture
from tests.live import Live, live
from tests.mock import MINIMAL

PHONE = (400, 860)
OTHER_SIZE = {DESK: (1920, 1080), PHONE: (360, 780)}
"""The widest screen and the narrowest telephone."""
CLICK_ALL = "(found) => found.forEach((each) => each.click())"


@pytest.fixture
def server() -> Iterator[Live]:
    with live(control_token=None) as server:
        yield server


def go(page: Page, view: str) -> None:
    page.evaluate(f"location.hash = '#/default/{view}'")


def empty(page: Page, _: Live) -> None:
    expect(page.locator("#requests .empty")).to_be_visible()


def keys(page: Page, _: Live) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def refused_dialog(page: Page, _: Live) -> None:
    page.get_by_role("button", name="New world").click()
    page.get_by_role("dialog").get_by_label(re.compile("^Name")).fill("default")
    page.get_by_role("button", name="Make world").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()


def opened_request(page: Page, server: Live) -> None:
    eventful(server)
    rivya(server, MINIMAL | {"params": {"prompt_optimiser": True}})
    row = requests_of(page).first
    expect(row.locator(".status")).to_have_text("400")
    row.get_by_role("button").first.click()
    expect(row.locator(".because")).to_contain_text("prompt_optimizer")


def nothing_found(page: Page, _: Live) -> None:
    page.get_by_label("Search requests").fill("no such words")
    expect(requests_of(page)).to_have_count(0)


def tasks(page: Page, _: Live) -> None:
    go(page, "tasks")
    expect(page.locator(".tasks > li")).to_have_count(1)


def opened_delivery(page: Page, _: Live) -> None:
    go(page, "deliveries")
    page.locator(".deliveries > li").first.get_by_role("button").first.click()
    expect(page.locator(".attempt")).to_have_count(3)


def opened_inbox(page: Page, _: Live) -> None:
    go(page, "inboxes")
    page.locator(".received summary").first.click()


def story(page: Page, server: Live) -> None:
    go(page, f"tasks/{door(server, 'GET', '/tasks')['tasks'][0]['id']}")
    rows = page.locator(".entries > li")
    expect(rows.first).to_be_visible()
    page.locator("#story .entry-head[aria-expanded=false]").evaluate_all(CLICK_ALL)
    page.locator("#story summary").evaluate_all(CLICK_ALL)
    expect(page.locator(".messages .halves").first).to_be_visible()
    expect(page.locator("video")).to_be_visible()


def opened_group(page: Page, _: Live) -> None:
    go(page, "requests")
    page.get_by_text("Paid twice").click()
    page.get_by_role("radio", name=re.compile("^lost_answer ")).check()
    page.get_by_text("Or ask for it from the client").click()
    page.get_by_role("button", name="Until removed").click()
    expect(page.get_by_role("list", name="Standing faults")).to_contain_text("lost_answer")
    page.locator("#force").scroll_into_view_if_needed()


def form(page: Page, _: Live) -> None:
    go(page, "send/createGeneration")
    page.get_by_label("Body as it is sent").fill("{")
    expect(page.get_by_text("This is no object of JSON")).to_be_visible()


def form_with_answer(page: Page, server: Live) -> None:
    door(server, "DELETE", "/faults")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".sent-answer .status")).to_have_text("400")
    expect(page.locator(".sent-answer .because")).to_contain_text("JSON")


def form_with_problem(page: Page, _: Live) -> None:
    go(page, "send/nothing")
    expect(page.get_by_role("alert").filter(has_text="no operation 'nothing'")).to_be_visible()


def choices(page: Page, _: Live) -> None:
    go(page, f"compare/{newest(page)[0]}")
    expect(page.get_by_text("Choose the second one")).to_be_visible()


def comparison(page: Page, _: Live) -> None:
    one, other = newest(page)[:2]
    go(page, f"compare/{one}?with={other}")
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_role("table").scroll_into_view_if_needed()


def wrong_file(page: Page, _: Live) -> None:
    page.get_by_label("Or a HAR file").set_input_files(
        FilePayload(name="x.har", mimeType="application/json", buffer=b"{}")
    )
    expect(page.get_by_text("x.har is no HAR file")).to_be_visible()


def newest(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "async () => (await (await fetch('worlds/default/requests')).json())"
        ".requests.map(({ id }) => id).reverse()"
    )
    return found


STATES = [
    empty,
    keys,
    refused_dialog,
    opened_request,
    nothing_found,
    tasks,
    opened_delivery,
    opened_inbox,
    story,
    opened_group,
    form,
    form_with_answer,
    form_with_problem,
    choices,
    comparison,
    wrong_file,
]


def check(page: Page, name: str, size: tuple[int, int]) -> list[Any]:
    """What is wrong in this state, in light and in dark. Keeps a picture of it."""
    wrong: list[Any] = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        only = None if scheme == "light" else ["color-contrast"]  # all else is the same
        wrong += [(name, scheme, each) for each in violations(page, only)]
    picture(page, f"{name}-{size[0]}")
    if moving := page.evaluate("document.getAnimations().length"):
        wrong.append((name, f"{moving} animations in spite of reduced motion"))
    width, height = OTHER_SIZE[size]
    page.set_viewport_size({"width": width, "height": height})
    for each in (width, size[0]):
        if (needed := page.evaluate("document.documentElement.scrollWidth")) > each:
            wrong.append((name, f"is {needed} wide in {each}"))
        page.set_viewport_size({"width": size[0], "height": size[1]})
    return wrong


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_in_any_state(server: Live, visit: Open, size: tuple[int, int]) -> None:
    page = visit(server.url, size, expected=("status of 409", "status of 400"))
    wrong = []
    for state in STATES:
        state(page, server)
        wrong += check(page, f"state-{state.__name__}", size)
        while page.get_by_role("dialog").count():
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_at_a_locked_door(visit: Open, size: tuple[int, int]) -> None:
    with live(control_token="sesame") as server:
        page = visit(server.url, size, expected=("status of 401",), is_locked=True)
        page.get_by_label("Control token").fill("guess")
        page.get_by_role("button", name="Unlock").click()
        expect(page.get_by_role("dialog")).to_contain_text("That token is wrong")
        assert check(page, "state-locked", size) == []
        page.close()
