"""The page for people in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Locator, expect

from tests.door.browser import (
    HOSTILE,
    NARROW,
    WIDE,
    Open,
    door,
    hostile_elements,
    requests_of,
    rivya,
)
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, MINIMAL, TOKEN, VIDEO


@pytest.fixture
def server() -> Iterator[Live]:
    with live(clock__mode="real") as server:
        yield server


@contextmanager
def meanwhile(act: Callable[[], Any]) -> Iterator[None]:
    """Runs something in a thread meanwhile; it must end by itself."""
    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join(20)
        assert not thread.is_alive()


def test_an_empty_world_says_how_to_make_the_first_request(server: Live, visit: Open) -> None:
    page = visit(server.url)
    command = page.locator("#requests .empty pre").inner_text()
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True, timeout=WAIT_S
    )
    assert json.loads(done.stdout)["status"] == "queued"
    expect(requests_of(page)).to_have_count(1)
    expect(page.locator("#requests .empty")).to_be_hidden()


def test_a_new_request_appears_without_a_reload(server: Live, visit: Open) -> None:
    page = visit(server.url)
    # It is told so by the door, which it need not ask again and again.
    with page.expect_response(lambda answer: "timeout_s=" in answer.url and answer.ok):
        made = rivya(server).json()
    row = requests_of(page).first
    expect(row).to_contain_text("POST")
    expect(row).to_contain_text("/api/v1/generations")
    expect(row.locator(".status")).to_have_text("200")
    expect(page.locator("#tab-requests .count")).to_have_text("1")
    httpx2.get(f"{server.url}/api/v1/models", headers={"authorization": f"Bearer {KEY}"})
    expect(requests_of(page).first).to_contain_text("/api/v1/models")
    page.get_by_role("tab", name="Tasks").click()
    expect(page.locator(".tasks > li")).to_contain_text(made["id"])


def test_the_end_of_a_task_appears_by_itself(server: Live, visit: Open) -> None:
    page = visit(server.url)
    rivya(server)
    page.get_by_role("tab", name="Tasks").click()
    expect(page.locator(".tasks .status")).to_have_text("succeeded")
    expect(page.locator("#money .spent dd").first).to_have_text("57")


def test_an_advance_of_two_minutes_ends_a_task_and_lists_what_happened(
    server: Live, visit: Open
) -> None:
    page = visit(server.url)
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#time .mode")).to_have_text("frozen")
    made = rivya(server).json()
    expect(page.locator("#money .reserved dd").first).to_have_text("57")
    before = page.locator("#time .now").inner_text()
    page.get_by_role("button", name="+2 min").click()
    effects = page.get_by_role("list", name="What happened during the jump").get_by_role("listitem")
    expect(effects).to_have_count(2)
    expect(effects.first).to_contain_text(re.compile(f"taken up processing\\s*{made['id']}"))
    expect(effects.last).to_contain_text(re.compile(f"ends succeeded\\s*{made['id']}"))
    expect(page.locator("#money .reserved dd").first).to_have_text("0")
    minutes = [
        int(text.split(":")[1]) for text in (before, page.locator("#time .now").inner_text())
    ]
    assert (minutes[1] - minutes[0]) % 60 == 2
    effects.last.get_by_role("button").click()
    expect(page.locator("#story .story-sum")).to_contain_text("57 credits, spent")


def test_a_fault_for_the_next_request_happens_and_is_explained(server: Live, visit: Open) -> None:
    page = visit(server.url)
    page.get_by_label("Search scenarios").fill("insufficient credits")
    page.get_by_role("radio", name=re.compile("^insufficient_credits ")).check()
    page.get_by_role("button", name="Next request").click()
    standing = page.get_by_role("list", name="Standing faults").get_by_role("listitem")
    expect(standing.first).to_contain_text("next request of each account · matched 0 · happened 0")
    assert rivya(server).status_code == 402
    expect(standing.first).to_contain_text("matched 1 · happened 1")
    row = requests_of(page).first
    expect(row.locator(".status")).to_have_text("402")
    expect(row.locator(".badge")).to_have_text("insufficient_credits")
    why = opened(row)
    expect(why).to_contain_text("The scenario 'insufficient_credits' caused it")
    expect(why).to_contain_text(re.compile("Without the fault\\s*accepted"))
    assert rivya(server).status_code == 200
    expect(requests_of(page).first.locator(".status")).to_have_text("200")


def opened(row: Locator) -> Locator:
    """The explanation in the row of a request, after a click on its button."""
    row.get_by_role("button").first.click()
    return row.get_by_role("region", name="Why it was answered so")


def test_a_fault_stands_until_it_is_removed(server: Live, visit: Open) -> None:
    page = visit(server.url)
    page.get_by_text("Paid twice").click()
    page.get_by_role("radio", name=re.compile("^lost_answer ")).check()
    page.get_by_role("button", name="Until removed").click()
    standing = page.get_by_role("list", name="Standing faults").get_by_role("listitem")
    expect(standing).to_contain_text("until removed")
    for _ in range(2):
        with pytest.raises(httpx2.TransportError):
            rivya(server)
    expect(requests_of(page).first.locator(".status")).to_have_text("no answer")
    page.get_by_role("button", name="Remove lost_answer").click()
    expect(standing).to_have_count(0)
    assert rivya(server).status_code == 200


def test_the_commands_of_a_scenario_can_be_pasted(server: Live, visit: Open) -> None:
    page = visit(server.url)
    page.locator(".wish summary", has_text="Refused").click()
    page.get_by_role("radio", name=re.compile("^insufficient_credits ")).check()
    page.get_by_text("Or ask for it from the client").click()
    page.get_by_role("button", name="Copy: In the key").click()
    command = page.evaluate("navigator.clipboard.readText()")
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True, timeout=WAIT_S
    )
    assert json.loads(done.stdout)["error"]["code"] == "insufficient_credits"


def test_every_content_is_shown_as_text(server: Live, visit: Open) -> None:
    page = visit(server.url)
    rivya(server, MINIMAL | {"prompt": HOSTILE})
    headers = {"authorization": f"Bearer {KEY}", "x-odd": HOSTILE}
    httpx2.get(f"{server.url}/api/v1/nothing?{HOSTILE}", headers=headers)
    expect(requests_of(page)).to_have_count(2)
    for row in requests_of(page).all():
        row.get_by_role("button").first.click()
        row.get_by_text(re.compile("^\\d+ headers$")).first.click()
    expect(requests_of(page).first).to_contain_text(HOSTILE)
    expect(requests_of(page).last.locator("pre").first).to_contain_text(json.dumps(HOSTILE)[1:-1])
    page.get_by_role("tab", name="Tasks").click()
    expect(page.locator(".tasks .prompt")).to_have_text(HOSTILE)
    assert hostile_elements(page) == []


def test_a_request_is_copied_as_a_command_that_sends_the_same(server: Live, visit: Open) -> None:
    page = visit(server.url)
    rivya(server, MINIMAL | {"prompt": HOSTILE}, key=f"{KEY}+insufficient_credits")
    requests_of(page).first.get_by_role("button").first.click()
    page.get_by_role("button", name="Copy as curl").click()
    command = page.evaluate("navigator.clipboard.readText()")
    subprocess.run(command, shell=True, capture_output=True, check=True, timeout=WAIT_S)
    expect(requests_of(page)).to_have_count(2)
    one, other = door(server, "GET", "/requests")["requests"]
    for told in ("method", "path", "query", "account", "scenario", "channel", "status"):
        assert one[told] == other[told]
    assert one["request"]["body"] == other["request"]["body"]


def test_a_request_is_compared_with_the_one_before(server: Live, visit: Open) -> None:
    rivya(server)
    rivya(server, MINIMAL | {"prompt": "another prompt"})
    page = visit(server.url)
    expect(requests_of(page)).to_have_count(2)
    requests_of(page).first.get_by_role("button").first.click()
    page.get_by_text("Compare with the one before").click()
    row = page.get_by_role("row").filter(has_text="request /prompt")
    expect(row).to_contain_text('≠ "another prompt"')
    expect(page.get_by_role("table")).not_to_contain_text("/model")
    requests_of(page).last.get_by_role("button").first.click()
    expect(page.get_by_text("Compare with the one before")).to_have_count(1)


def test_numbers_are_shown_as_they_were_written(server: Live, visit: Open) -> None:
    page = visit(server.url)
    body = b'{"model":"hailuo-pro","prompt":"x","big":12345678901234567890,"small":1.50,"none":{}}'
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    httpx2.post(f"{server.url}/api/v1/generations", headers=headers, content=body)
    requests_of(page).first.get_by_role("button").first.click()
    expect(requests_of(page).first.locator("pre").first).to_have_text(
        '{\n  "model": "hailuo-pro",\n  "prompt": "x",\n  "big": 12345678901234567890,\n'
        '  "small": 1.50,\n  "none": {}\n}'
    )


def test_a_running_request_and_its_end_are_shown(server: Live, visit: Open) -> None:
    door(server, "PATCH", "/clock", {"mode": "frozen"})
    page = visit(server.url)

    def create() -> None:
        headers = {"authorization": f"Bearer {TOKEN}"}
        httpx2.post(f"{server.url}/hailuo/videos", headers=headers, json=VIDEO, timeout=WAIT_S)

    with meanwhile(create):
        row = requests_of(page).first
        expect(row.locator(".status")).to_have_text("under way")
        page.get_by_role("button", name="Until idle").click()
        expect(row.locator(".status")).to_have_text("200")


def test_a_task_ended_by_hand_returns_its_credits(server: Live, visit: Open) -> None:
    door(server, "PATCH", "/clock", {"mode": "frozen"})
    rivya(server)
    page = visit(server.url)
    page.get_by_role("tab", name="Tasks").click()
    expect(page.locator("#money .reserved dd").first).to_have_text("57")
    page.locator(".tasks > li").get_by_role("button").first.click()
    page.get_by_role("button", name="Finish as failed").click()
    expect(page.locator("#story .status")).to_have_text("failed")
    expect(page.locator("#story .story-sum")).to_contain_text("57 credits, given back")
    expect(page.locator("#money .reserved dd").first).to_have_text("0")


def test_the_video_of_a_task_plays_and_reading_the_task_makes_no_request(
    server: Live, visit: Open
) -> None:
    rivya(server)
    page = visit(server.url)
    page.get_by_role("tab", name="Tasks").click()
    expect(page.locator(".tasks .status")).to_have_text("succeeded")
    page.locator(".tasks > li").get_by_role("button").first.click()
    page.get_by_text("Video", exact=True).click()
    video = page.locator("video")
    expect(video).to_be_visible()
    assert len(door(server, "GET", "/requests")["requests"]) == 1
    address = video.get_attribute("src")
    assert address is not None
    assert httpx2.get(address).content[4:8] == b"ftyp"


def test_a_delivery_is_shown_with_its_attempts_and_sent_again(server: Live, visit: Open) -> None:
    page = visit(server.url)
    headers = {"authorization": f"Bearer {TOKEN}"}
    inbox = f"{server.url}/_mock/inbox/default/mine"
    asked = VIDEO | {"async": True, "callback_url": inbox}
    httpx2.post(f"{server.url}/hailuo/videos", headers=headers, json=asked)
    page.get_by_role("tab", name="Deliveries").click()
    delivery = page.locator(".deliveries > li")
    expect(delivery.locator(".status")).to_have_text("succeeded")
    delivery.get_by_role("button").first.click()
    expect(delivery.locator(".attempt")).to_have_count(1)
    page.get_by_role("button", name="Redeliver now").click()
    expect(delivery.locator(".attempt")).to_have_count(2)
    page.get_by_role("tab", name="Inboxes").click()
    expect(page.locator(".inbox").filter(has_text=inbox)).to_contain_text("2 requests came.")


def test_a_field_without_effect_is_shown_with_a_near_one(server: Live, visit: Open) -> None:
    page = visit(server.url)
    slip = MINIMAL | {"model": "hailuo-standard", "duration": "10"}
    assert rivya(server, slip).status_code == 200
    row = requests_of(page).first
    expect(row.locator(".badge")).to_have_text("ignored fields")
    expect(row.locator(".badge")).to_have_attribute("title", "without effect: /duration")
    why = opened(row)
    expect(why).to_contain_text("did you mean '/params/duration'?")
    expect(why).to_contain_text(re.compile("Without effect\\s*/duration"))
    assert rivya(server).status_code == 200
    expect(requests_of(page).first.locator(".badge")).to_have_text("")


def test_a_signature_that_libraries_refuse_is_marked_at_its_delivery_and_its_inbox(
    server: Live, visit: Open
) -> None:
    """The world's clock began in another month than the machine's."""
    page = visit(server.url)
    endpoint = {
        "url": f"{server.url}/_mock/inbox/default/mine",
        "event_types": ["generation.succeeded"],
    }
    headers = {"authorization": f"Bearer {KEY}"}
    httpx2.post(f"{server.url}/api/v1/webhooks", headers=headers, json=endpoint)
    rivya(server)
    page.get_by_role("tab", name="Deliveries").click()
    delivery = page.locator(".deliveries > li")
    expect(delivery.locator(".status")).to_have_text("succeeded")
    delivery.get_by_role("button").first.click()
    expect(delivery.locator(".attempt")).to_contain_text("Note: dated by the world's clock")
    page.get_by_role("tab", name="Inboxes").click()
    received = page.locator(".inbox .received").first
    received.locator("summary").first.click()
    expect(received).to_contain_text("dated by the world's clock")


def test_credits_are_changed(server: Live, visit: Open) -> None:
    page = visit(server.url)
    page.get_by_role("button", name="Change what rivya-test can spend").click()
    page.get_by_label("Credits that can be spent").first.fill("60")
    page.keyboard.press("Enter")
    expect(page.locator("#money .available dd").first).to_have_text("60")
    assert [rivya(server).status_code for _ in range(2)] == [200, 402]


def test_a_world_can_be_made_shown_and_dropped(server: Live, visit: Open) -> None:
    page = visit(server.url, expected=("status of 409",))
    rivya(server)
    expect(requests_of(page)).to_have_count(1)
    page.get_by_role("button", name="New world").click()
    name = page.get_by_role("dialog").get_by_label(re.compile("^Name"))
    name.fill("default")
    page.get_by_role("button", name="Make world").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(
        "there is a world called 'default' already"
    )
    name.fill("mine")
    page.get_by_role("button", name="Make world").click()
    expect(requests_of(page)).to_have_count(0)
    expect(page.locator("#world")).to_have_value("mine")
    expect(page.locator("#credentials")).to_contain_text(f"{KEY}-mine")
    rivya(server, key=f"{KEY}-mine")
    expect(requests_of(page)).to_have_count(1)
    page.reload()
    expect(page.locator("#world")).to_have_value("mine")
    page.get_by_role("button", name="Drop").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    expect(page.locator("#world")).to_have_value("default")
    expect(page.locator("#credentials")).not_to_contain_text("-mine")


def test_the_page_of_one_of_several_processes_shows_its_own_worlds(visit: Open) -> None:
    """The other processes answer 421, as there is no proxy that leads to them."""
    with live(clock__mode="real", shard="1/2") as server:
        for name in ("first", "second"):
            httpx2.post(f"{server.url}/_mock/worlds", json={"name": name})
        page = visit(server.url, expected=("421",))
        expect(page.locator("#world")).to_have_value("w1-first")
        expect(page.locator("#world option")).to_have_text(["w1-first", "w1-second"])
        page.locator("#world").select_option("w1-second")
        expect(page.locator("#credentials")).to_contain_text("rvya_sk_w1-test-second")
        page.close()  # before the server ends


def test_the_request_of_the_chosen_world_is_explained(server: Live, visit: Open) -> None:
    twin = {"name": "twin", "seed": server.fake.settings.seed}
    httpx2.post(f"{server.url}/_mock/worlds", json=twin).raise_for_status()
    rivya(server)
    rivya(server, key=f"{KEY}-twin+insufficient_credits")
    page = visit(server.url)
    page.locator("#world").select_option("twin")
    expect(requests_of(page).locator(".status")).to_have_text("402")
    requests_of(page).get_by_role("button").first.click()
    expect(requests_of(page).locator(".because")).to_contain_text("insufficient_credits")


def test_a_world_is_shown_again_after_a_reset(server: Live, visit: Open) -> None:
    # A wait for changes ends with 503; one that begins after the reset is refused with 400.
    page = visit(server.url, expected=("status of 503", "status of 400"))
    rivya(server)
    expect(requests_of(page)).to_have_count(1)
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(requests_of(page)).to_have_count(0)
    rivya(server, MINIMAL | {"prompt": "first"})
    expect(requests_of(page)).to_have_count(1)
    door(server, "POST", "/reset")  # by another client
    expect(requests_of(page)).to_have_count(0)


def test_the_search_finds_requests_by_any_of_their_words(server: Live, visit: Open) -> None:
    page = visit(server.url)
    for prompt in ("a red fox", "a blue whale"):
        rivya(server, MINIMAL | {"prompt": prompt})
    rivya(server, {"model": "hailuo-pro"})
    expect(requests_of(page)).to_have_count(3)
    page.get_by_label("Search requests").fill("WHALE 200")
    expect(requests_of(page)).to_have_count(1)
    expect(page.locator("#requests .filter")).to_contain_text("1 found")
    page.get_by_label("Search requests").fill("validation_failed")
    expect(requests_of(page).locator(".status")).to_have_text(["400"])


def test_a_row_keeps_its_place_while_requests_come(server: Live, visit: Open) -> None:
    for _ in range(20):
        rivya(server)
    page = visit(server.url)
    row = requests_of(page).nth(3)
    row.get_by_role("button").first.click()
    expect(row.locator(".because")).to_have_text("Every rule was kept.")
    read = row.locator(".tools .hint").inner_text()
    before = row.bounding_box()
    for _ in range(4):
        rivya(server)
    expect(requests_of(page)).to_have_count(24)
    row = requests_of(page).nth(7)
    expect(row.locator(".tools .hint")).to_have_text(read)
    after = row.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1


def test_a_locked_door_asks_for_its_token_and_keeps_it_out_of_addresses(visit: Open) -> None:
    with live(clock__mode="real", control_token="sesame") as server:
        page = visit(server.url, expected=("status of 401",), is_locked=True)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.get_by_label("Control token").fill("guess")
        page.get_by_role("button", name="Unlock").click()
        expect(page.get_by_role("dialog")).to_contain_text("That token is wrong")
        page.get_by_label("Control token").fill("sesame")
        page.get_by_role("button", name="Unlock").click()
        expect(page.locator("#connection")).to_have_text("Live")
        page.reload()
        expect(page.locator("#connection")).to_have_text("Live")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert [url for url in [*asked, page.url] if "sesame" in url] == []
        page.close()


def test_a_stopped_server_is_reported_and_the_page_continues_after_its_restart(
    server: Live, visit: Open
) -> None:
    page = visit(server.url, expected=("ERR_FAILED",))
    rivya(server)
    expect(requests_of(page)).to_have_count(1)
    page.route("**/*", lambda route: route.abort())
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#connection")).to_have_text("The server does not answer. Trying again.")
    expect(page.locator("#time .problem").first).to_have_text("The server does not answer.")
    expect(requests_of(page)).to_have_count(1)
    rivya(server)
    page.unroute_all()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(requests_of(page)).to_have_count(2)


def test_a_reset_while_the_page_is_hidden_is_recognised(server: Live, visit: Open) -> None:
    page = visit(server.url, expected=("ERR_FAILED",))
    rivya(server, MINIMAL | {"prompt": "before"})
    rivya(server, MINIMAL | {"prompt": "before, too"})
    expect(requests_of(page)).to_have_count(2)
    requests_of(page).first.get_by_role("button").first.click()
    old = [each["id"] for each in door(server, "GET", "/requests")["requests"]]
    page.route("**/*", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # it reads again
    expect(page.locator("#connection")).to_have_text("The server does not answer. Trying again.")
    door(server, "POST", "/reset")
    for prompt in ("after", "after that"):
        rivya(server, MINIMAL | {"prompt": prompt})
    assert [each["id"] for each in door(server, "GET", "/requests")["requests"]] == old
    page.unroute_all()
    expect(page.locator("#connection")).to_have_text("Live")
    expect(requests_of(page)).to_have_count(2)
    expect(page.locator(".requests .detail:visible")).to_have_count(0)
    for row, prompt in zip(requests_of(page).all(), ("after that", "after"), strict=True):
        row.get_by_role("button").first.click()
        expect(row.locator("pre").first).to_contain_text(f'"{prompt}"')


def test_the_page_works_by_keyboard(server: Live, visit: Open) -> None:
    page = visit(server.url)
    rivya(server)
    expect(requests_of(page)).to_have_count(1)
    page.get_by_role("tab", name="Requests").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Tasks")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_have_attribute("id", "tasks")
    page.keyboard.press("ArrowLeft")
    page.locator("#connection").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowDown")
    expect(requests_of(page).first.get_by_role("button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(requests_of(page).first.locator(".because")).to_have_text("Every rule was kept.")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_page_fits_its_window_and_every_control_has_a_name(
    server: Live, visit: Open, size: tuple[int, int]
) -> None:
    rivya(server, MINIMAL | {"prompt": "longer" * 200}, key=f"{KEY}+insufficient_credits")
    httpx2.get(f"{server.url}/api/v1/generations/{'long' * 60}")
    page = visit(server.url, size)
    for row in requests_of(page).all():
        row.get_by_role("button").first.click()
    page.locator(".wish summary").first.click()
    page.get_by_role("radio").first.check()
    page.get_by_text("Or ask for it from the client").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    too_wide = page.evaluate(
        """[...document.querySelectorAll("main section, main section > div")]
          .filter((each) => each.scrollWidth > each.clientWidth + 1)
          .map((each) => each.id || each.className)"""
    )
    assert set(too_wide) <= {"tabs"}  # which can be moved sideways where it is narrow
    nameless = page.evaluate(
        """[...document.querySelectorAll("button, input, select, video, [role]:not([role=status])")]
          .filter((each) => each.offsetParent !== null && each.type !== "radio")
          .filter((each) => !(each.ariaLabel || each.labels?.length || each.textContent.trim()
            || each.hasAttribute("aria-labelledby")))
          .map((each) => each.outerHTML)"""
    )
    assert nameless == []
