"""10,000 tasks: the page opens, reads to the oldest, and stays small; the search is quick."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import expect

from mock_server.core.tasks import Order
from tests.door.browser import Open, rivya
from tests.door.test_story_in_a_browser import picture
from tests.live import Live, live
from tests.mock import KEY, MINIMAL

MANY, MOST_ROWS = 10_000, 600
READ_ON = """async (times) => {
  const list = document.querySelector(".tasks");
  const older = [...document.querySelectorAll("#tasks button")]
    .find((each) => each.textContent === "Show older tasks");
  let most = 0;
  for (let time = 0; time < times; time += 1) {
    const last = list.lastElementChild;
    older.click();
    while (list.lastElementChild === last) await new Promise(requestAnimationFrame);
    most = Math.max(most, list.childElementCount);
  }
  return most;
}"""
"""Presses the button for older tasks so many times. Returns the most rows that were there."""


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live() as server:
        asyncio.run_coroutine_threadsafe(fill(server), server.loop).result(60)
        yield server


async def fill(server: Live) -> None:
    world = server.fake.worlds["default"].world
    for number in range(MANY):
        request = json.dumps(MINIMAL | {"prompt": f"shot {number}"}).encode()
        world.submit(Order("rivya", "rivya-test", KEY, "hailuo-pro", 57, request, server.url))


def test_the_page_reads_to_the_oldest_task_and_stays_small(server: Live, visit: Open) -> None:
    page = visit(server.url)
    page.get_by_role("tab", name="Tasks").click()
    rows, count = page.locator(".tasks > li"), page.locator("#tab-tasks .count")
    expect(count).to_have_text("10,000")
    older = page.get_by_role("button", name="Show older tasks")
    expect(rows).to_have_count(200)
    assert page.evaluate(READ_ON, 24) <= MOST_ROWS
    middle = rows.last.locator(".prompt").inner_text()
    assert middle == f"shot {MANY - 25 * 200}"
    rivya(server, MINIMAL | {"prompt": "the newest"})  # live changes keep coming
    expect(count).to_have_text("10,001")
    expect(rows.last.locator(".prompt")).to_have_text(middle)
    assert page.evaluate(READ_ON, 25) == MOST_ROWS
    expect(older).to_be_hidden()
    expect(rows.last.locator(".prompt")).to_have_text("shot 0")
    picture(page, "the-oldest-of-10000")
    assert page.evaluate("document.querySelectorAll('*').length") < 12_000
    newer = page.get_by_role("button", name="Show newer tasks")
    newer.scroll_into_view_if_needed()
    first = rows.first.get_by_text(re.compile("^task_")).inner_text()
    before = rows.first.bounding_box()
    newer.click()
    expect(rows.last.locator(".prompt")).to_have_text("shot 200")
    after = rows.filter(has_text=first).bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    page.get_by_label("Search tasks").fill("the newest")
    expect(rows).to_have_count(1)


@pytest.mark.parametrize("words", ["shot 9999", "hailuo", "in no task", "task_"])
def test_a_search_needs_at_most_100_ms_of_the_server(server: Live, words: str) -> None:
    """Measured as the time of this process, client and server, so that others do not count."""
    taken_s = []
    with httpx2.Client(base_url=server.url) as client:
        for _ in range(5):
            began = time.process_time()
            client.get("/_mock/worlds/default/search", params={"q": words}).raise_for_status()
            taken_s.append(time.process_time() - began)
    assert min(taken_s) <= 0.1
