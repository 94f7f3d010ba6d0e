"""The story of a task in a real browser: what it shows, how soon it is found, what a link opens."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.door.axe import violations
from tests.door.browser import (
    CORPUS,
    HOSTILE,
    ROOT,
    Open,
    door,
    hostile_elements,
    requests_of,
    rivya,
)
from tests.live import Live, live
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO

SCREENSHOTS = ROOT / "build" / "screenshots"
DESK, PHONE = (1440, 900), (360, 780)
ALL_DAY_S = 86_400


@pytest.fixture
def server() -> Iterator[Live]:
    """A server whose clock moves by hand alone."""
    with live() as server:
        yield server


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, to be looked at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def eventful(server: Live) -> str:
    """The id of a task with a lost answer, a retry, 20 looks, 3 attempts and a download."""
    headers = {"authorization": f"Bearer {KEY}"}
    api = f"{server.url}/api/v1"
    hook = {
        "url": f"{server.url}/_mock/inbox/default/hook",
        "event_types": ["generation.succeeded"],
    }
    httpx2.post(f"{api}/webhooks", headers=headers, json=hook).raise_for_status()
    door(server, "PUT", "/inbox/hook", {"answers": [{"status": 500, "times": 2}]})
    door(server, "POST", "/faults", {"scenario": "lost_answer", "times": 1})
    keyed = headers | {"idempotency-key": "order-2041"}
    with pytest.raises(httpx2.TransportError):
        httpx2.post(f"{api}/generations", headers=keyed, json=MINIMAL)
    task_id: str = httpx2.post(f"{api}/generations", headers=keyed, json=MINIMAL).json()["id"]
    for _ in range(20):
        server.advance(0.1)
        httpx2.get(f"{api}/generations/{task_id}", headers=headers)
    for _ in range(3):
        server.advance(ALL_DAY_S / 24)
    httpx2.get(f"{server.url}/media/default/{task_id}.mp4").raise_for_status()
    return task_id


def entries_of(page: Page) -> Any:
    return page.locator(".entries > li")


def story_page(
    visit: Open,
    server: Live,
    task_id: str,
    size: tuple[int, int] = DESK,
    expected: tuple[str, ...] = (),
) -> Page:
    page = visit(f"{server.url}", size, expected=expected)
    page.goto(f"{server.url}/_mock/#/default/tasks/{task_id}")
    expect(entries_of(page).first).to_be_visible()
    return page


def test_an_eventful_story_fits_one_screen(server: Live, visit: Open) -> None:
    task_id = eventful(server)
    page = story_page(visit, server, task_id)
    for text in ("20 looks", "Attempt 3: 200", "Download: 200", "Create again, same key: 200"):
        expect(page.locator(".entries")).to_contain_text(text)
    expect(page.locator(".entries")).to_contain_text("57 held · 1,000,000 to 999,943")
    picture(page, "story-desk")
    last = entries_of(page).last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= DESK[1]
    assert page.evaluate("scrollY") == 0


def test_a_story_fits_a_phone(server: Live, visit: Open) -> None:
    page = story_page(visit, server, eventful(server), PHONE)
    page.locator("#story").scroll_into_view_if_needed()
    picture(page, "story-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    too_wide = page.evaluate(
        """[...document.querySelectorAll("#story *")]
          .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
          .filter((each) => !each.closest(".timeline"))
          .map((each) => each.outerHTML.slice(0, 200))"""
    )
    assert too_wide == []


def test_a_double_charge_is_found_in_two_clicks(server: Live, visit: Open) -> None:
    first = rivya(server).json()["id"]
    second = rivya(server).json()["id"]
    page = visit(server.url, DESK)
    requests_of(page).last.get_by_role("button").first.click()
    page.get_by_role("button", name="Story of its task").click()
    odd = page.locator(".entries > li[data-odd=true]")
    expect(odd.locator(".why")).to_contain_text("A second task with the same body")
    expect(odd.locator(".why")).to_contain_text("no Idempotency-Key: both charged.")
    expect(odd.get_by_role("button").first).to_have_attribute("aria-expanded", "true")
    picture(page, "double-charge")
    odd.get_by_role("button", name="Story of the other task").click()
    expect(page.locator(".story-sum")).to_contain_text(second)
    expect(page.locator(".story-sum")).not_to_contain_text(first)


def test_a_lost_callback_is_found_in_two_clicks(server: Live, visit: Open) -> None:
    door(server, "POST", "/faults", {"scenario": "delivery_never", "times": 1})
    headers = {"authorization": f"Bearer {TOKEN}"}
    hook = f"{server.url}/_mock/inbox/default/hook"
    asked = VIDEO | {"async": True, "callback_url": hook}
    httpx2.post(f"{server.url}/hailuo/videos", headers=headers, json=asked).raise_for_status()
    server.advance(ALL_DAY_S)
    page = visit(server.url, DESK)
    page.get_by_role("tab", name="Tasks").click()
    page.locator(".tasks > li").get_by_role("button").click()
    row = page.locator(".entries > li[data-type=no_delivery]")
    expect(row).to_contain_text("No callback comes: the scenario 'delivery_never' left it out.")
    picture(page, "lost-callback")


def test_a_link_opens_the_same_task_and_entry(server: Live, visit: Open) -> None:
    page = story_page(visit, server, eventful(server))
    download = entries_of(page).filter(has_text="Download")
    download.get_by_role("button").first.click()
    link = page.url
    other = visit(server.url, DESK)
    other.goto(link)
    again = entries_of(other).filter(has_text="Download").get_by_role("button").first
    expect(again).to_have_attribute("aria-expanded", "true")
    expect(other.locator(".entry-head[aria-expanded=true]")).to_have_count(1)


def test_a_link_opens_the_same_filter_and_request(server: Live, visit: Open) -> None:
    for prompt in ("a red fox", "a blue whale"):
        rivya(server, MINIMAL | {"prompt": prompt})
    page = visit(server.url)
    page.get_by_label("Search requests").fill("whale")
    expect(requests_of(page)).to_have_count(1)
    requests_of(page).get_by_role("button").first.click()
    other = visit(server.url)
    other.goto(page.url)
    expect(other.get_by_label("Search requests")).to_have_value("whale")
    expect(requests_of(other)).to_have_count(1)
    expect(requests_of(other).locator(".because")).to_have_text("Every rule was kept.")


def test_task_request_delivery_and_inbox_lead_to_each_other(server: Live, visit: Open) -> None:
    task_id = eventful(server)
    page = story_page(visit, server, task_id)
    entries_of(page).filter(has_text="Attempt 1").get_by_role("button").first.click()
    page.get_by_role("button", name="Show the delivery").click()
    delivery = page.locator(".deliveries > li .detail")
    expect(delivery.locator(".attempt")).to_have_count(3)
    delivery.get_by_role("button", name="Show the inbox").click()
    expect(page.locator("#inboxes")).to_be_visible()
    page.locator(".received summary").first.click()
    page.get_by_role("button", name="Story of its task").click()
    expect(page.locator(".story-sum")).to_contain_text(task_id)
    entries_of(page).filter(has_text="Create again").get_by_role("button").first.click()
    page.get_by_role("button", name="Show the request").last.click()
    expect(page.locator(".requests .because")).to_contain_text("Its Idempotency-Key found the task")
    page.go_back()
    expect(page.locator(".story-sum")).to_contain_text(task_id)


def test_a_story_grows_by_itself(server: Live, visit: Open) -> None:
    task_id = rivya(server).json()["id"]
    page = story_page(visit, server, task_id)
    expect(page.locator("#story .status")).to_have_text("queued")
    server.advance(60)
    expect(page.locator("#story .status")).to_have_text("succeeded")
    expect(page.locator(".entries")).to_contain_text("57 spent")


def test_what_a_client_wrote_is_text_in_its_story(server: Live, visit: Open) -> None:
    task_id = rivya(server, MINIMAL | {"prompt": HOSTILE}).json()["id"]
    page = story_page(visit, server, task_id)
    expect(page.locator("#story .story-title")).to_have_text(HOSTILE)
    entries_of(page).filter(has_text="Create").get_by_role("button").first.click()
    page.get_by_text("Request and answer").click()
    expect(page.locator(".messages pre").first).to_contain_text("onerror")
    assert hostile_elements(page) == []


def test_one_button_goes_to_what_comes_next_and_shows_what_happened(
    server: Live, visit: Open
) -> None:
    task_id = rivya(server).json()["id"]
    page = story_page(visit, server, task_id)
    coming = page.get_by_role("list", name="What comes next for this task")
    expect(coming.get_by_role("listitem")).to_have_count(2)
    expect(coming.get_by_role("listitem").first).to_contain_text("in ")
    coming.get_by_role("button", name="Go there: task processing").click()
    expect(page.locator("#story .status")).to_have_text("processing")
    effects = page.get_by_role("list", name="What happened during the jump")
    expect(effects).to_contain_text("processing")
    picture(page, "what-comes-next")
    page.get_by_role("list", name="What comes next", exact=True).get_by_role(
        "button", name="Go there: task succeeded"
    ).click()
    expect(page.locator("#story .status")).to_have_text("succeeded")
    expect(page.locator("#time")).to_contain_text("Nothing is due.")


def test_two_creates_are_compared_and_only_what_differs_is_shown(server: Live, visit: Open) -> None:
    first = rivya(server).json()["id"]
    second = rivya(server).json()["id"]
    page = story_page(visit, server, first)
    page.get_by_text("Compare with the first create").click()
    table = page.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("row").last).to_contain_text(f'≠ "{first}"≠ "{second}"')
    picture(page, "compare")
    assert violations(page) == []


def saved(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return download.value.path().read_text("utf-8")


def test_a_story_is_taken_away_as_one_file_without_scripts(server: Live, visit: Open) -> None:
    task_id = rivya(server, MINIMAL | {"prompt": HOSTILE}).json()["id"]
    rivya(server, MINIMAL | {"prompt": HOSTILE})
    page = story_page(visit, server, task_id, expected=("status of 409",))
    text = saved(page, "Save as HTML")
    assert KEY not in text
    other = page.context.new_page()
    other.set_content(text)
    expect(other.locator("h1")).to_have_text(HOSTILE)
    expect(other.locator("tr.odd")).to_contain_text("no Idempotency-Key: both charged.")
    assert other.locator("img, script, link").count() == 0
    assert other.title() == f"Story of {task_id}"
    page.get_by_role("button", name="Save as scenario").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing went wrong in this task")
    har = json.loads(saved(page, "Save as HAR"))
    assert [each["request"]["method"] for each in har["log"]["entries"]] == ["POST"]


def test_what_went_wrong_is_saved_as_a_scenario(server: Live, visit: Open) -> None:
    task_id = eventful(server)
    page = story_page(visit, server, task_id)
    read = tomllib.loads(saved(page, "Save as scenario"))
    assert [each["effect"]["type"] for each in read["faults"]] == ["connection", "delivery"]


@pytest.mark.parametrize("scenario", [None, "lost_answer"])
def test_a_saved_test_sends_the_same_request(
    server: Live, visit: Open, tmp_path: Path, scenario: str | None
) -> None:
    if scenario is not None:
        door(server, "POST", "/faults", {"scenario": scenario, "times": 1})
    with suppress(httpx2.TransportError):
        rivya(server, MINIMAL | {"prompt": HOSTILE})
    task_id = door(server, "GET", "/tasks")["tasks"][0]["id"]
    page = story_page(visit, server, task_id)
    file = tmp_path / "test_saved.py"
    file.write_text(saved(page, "Save as pytest test"), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def write_everywhere(server: Live) -> None:
    """Requests with HOSTILE in every field that a client can write, and what comes of them."""
    hook = f"{server.url}/_mock/inbox/default/hook?{quote(HOSTILE)}"
    headers = {"authorization": f"Bearer {TOKEN}", "x-odd": HOSTILE, "idempotency-key": HOSTILE}
    asked = VIDEO | {"prompt": HOSTILE, "async": True, "callback_url": hook}
    for _ in range(2):
        httpx2.post(f"{server.url}/hailuo/videos", headers=headers, json=asked).raise_for_status()
    server.advance(ALL_DAY_S)
    httpx2.post(f"{server.url}/_mock/inbox/default/hook", headers={"x-a": HOSTILE}, content=HOSTILE)
    with httpx2.Client(
        base_url=f"{server.url}/api/v1", headers={"authorization": f"Bearer {KEY}"}
    ) as rivya:
        named = {"url": hook, "event_types": ["generation.failed"], "name": HOSTILE}
        rivya.post("/webhooks", json=named)
        rivya.post("/files", data={"kind": HOSTILE}, files={"file": (HOSTILE, b"GIF89a")})
        rivya.post("/generations", json={HOSTILE: HOSTILE, "model": HOSTILE, "prompt": HOSTILE})
        rivya.post("/generations", json=MINIMAL | {"client_request_id": CORPUS[0], HOSTILE: 1})
        rivya.get(f"/generations/{quote(HOSTILE, safe='')}", params={HOSTILE: HOSTILE})
        rivya.get("/credits", headers={"mock-scenario": HOSTILE, "prefer": HOSTILE})
        rivya.get("/credits", headers={"authorization": f"Bearer {HOSTILE}"})


def test_what_a_client_wrote_anywhere_stays_text(server: Live, visit: Open) -> None:
    """In the lists with every row open, a story, a comparison, a search and a form."""
    write_everywhere(server)
    page = visit(server.url, DESK, expected=("status of 404",))
    for tab in ("Requests", "Deliveries", "Inboxes", "Tasks"):
        page.get_by_role("tab", name=tab).click()
        for opener in page.locator(
            f"#{tab.lower()} .head, #{tab.lower()} .received > summary"
        ).all():
            if tab != "Tasks":
                opener.click()
    assert requests_of(page).count() == 9
    assert hostile_elements(page) == []
    page.locator(".tasks > li").last.get_by_role("button").click()
    for text in ("Compare with the first create", "Request and answer"):
        page.locator(".messages > summary", has_text=text).first.click()
    expect(page.locator(".messages pre").first).to_contain_text("onerror")
    assert hostile_elements(page) == []
    one, *_, other = [each["id"] for each in door(server, "GET", "/requests")["requests"]]
    for view in (f"compare/{one}?with={other}", f"compare/{one}", f"requests?q={quote(HOSTILE)}"):
        page.evaluate(f"location.hash = {json.dumps(f'#/default/{view}')}")
    for view in (HOSTILE, f"tasks/{HOSTILE}", f"send/{HOSTILE}", f"compare/{HOSTILE}?with=x"):
        page.evaluate(f"location.hash = {json.dumps(f'#/default/{view}')}")
    expect(page.locator("#compare").get_by_role("alert")).to_be_visible()
    assert hostile_elements(page) == []
