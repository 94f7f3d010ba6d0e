"""The forms that send requests: one for each operation of the document, also of a third API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Page, expect

from mock_server.apis import ALL
from mock_server.config.sources import read_settings
from mock_server.control import Control
from mock_server.server.embedded import served
from tests.apis.made_up import LUMEN
from tests.door.browser import HOSTILE, Open, door, hostile_elements
from tests.live import Live, live
from tests.mock import PNG

PLAY = """async (film) => {
  film.muted = true;
  await film.play();
  while (film.currentTime < 0.1) await new Promise(requestAnimationFrame);
}"""


@pytest.fixture
def server() -> Iterator[Live]:
    with live(clock__mode="real") as server:
        yield server


def form(visit: Open, url: str, operation: str) -> Page:
    page = visit(url, (1440, 900), expected=("status of 4", "ERR_"))
    return turned_to(page, operation)


def turned_to(page: Page, operation: str) -> Page:
    page.evaluate(f"location.hash = '#/default/send/{operation}'")
    expect(page.locator("form.send")).to_be_visible()
    expect(page.get_by_label("Operation")).to_have_value(operation)
    expect(page.locator(".sent-answer .status")).to_have_count(0)
    return page


def sent(page: Page, status: int | str) -> None:
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".sent-answer .status")).to_have_text(str(status))


def test_a_file_is_uploaded_used_and_its_video_plays(server: Live, visit: Open) -> None:
    page = form(visit, server.url, "uploadFile")
    page.get_by_label(re.compile("^file")).set_input_files(
        FilePayload(name="first.png", mimeType="image/png", buffer=PNG)
    )
    page.get_by_label(re.compile("^kind")).select_option(label="image")
    sent(page, 200)
    (upload,) = door(server, "GET", "/requests")["requests"]
    assert upload["operation"] == "upload"
    url = json.loads(upload["answer"]["body"])["url"]
    page.get_by_role("button", name="Read its particulars again.").click()
    file_id = json.loads(upload["answer"]["body"])["id"]
    expect(page.get_by_label(re.compile("^fileId"))).to_have_value(file_id)
    sent(page, 200)

    page.get_by_label("Operation").select_option(label="Ask for a generation (POST)")
    page.get_by_label("Begin with").select_option(label="With a first frame")
    page.get_by_label(re.compile("^prompt")).fill("The boats drift apart")
    page.get_by_label("Idempotency-Key", exact=True).fill("order-2041")
    text = page.get_by_label("Body as it is sent")
    text.fill(text.input_value().replace("https://cdn.example.com/reference-image.png", url))
    sent(page, 200)
    create = door(server, "GET", "/requests")["requests"][-1]
    body = json.loads(create["request"]["body"])
    assert body["params"]["referenceMediaItems"][0]["url"] == url
    assert body["prompt"] == "The boats drift apart"
    assert ["idempotency-key", "order-2041"] in create["request"]["headers"]

    page.get_by_role("button", name="Story of its task").click()
    expect(page.locator("#story .status")).to_have_text("succeeded")
    page.get_by_text("Video", exact=True).click()
    video = page.locator("video")
    expect(video).to_have_attribute("poster", "page/poster.svg")
    video.evaluate(PLAY)
    first, *_ = door(server, "GET", "/requests?operation=media")["requests"]
    assert (dict(first["request"]["headers"])["range"], first["status"]) == ("bytes=0-", 206)


def test_forms_that_are_opened_at_once_read_the_document_once(server: Live, visit: Open) -> None:
    page = visit(server.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "for (const id of ['uploadFile', 'getCredits']) location.hash = `/default/send/${id}`"
    )
    expect(page.get_by_label("Operation")).to_have_value("getCredits")
    assert [url for url in asked if url.endswith("openapi.json")] == [
        f"{server.url}/_mock/openapi.json"
    ]


def test_a_form_sends_its_example(server: Live, visit: Open) -> None:
    page = form(visit, server.url, "listModels")
    for operation in ("listModels", "getCredits", "createVideo", "queryTasks"):
        sent(turned_to(page, operation), 404 if operation == "queryTasks" else 200)
        page.get_by_role("button", name="Show the request").click()
        expect(page.locator(".requests > li").first.locator(".because")).not_to_have_text("…")


def test_every_operation_of_the_document_has_a_form(server: Live, visit: Open) -> None:
    page = form(visit, server.url, "listModels")
    options = page.get_by_label("Operation").locator("option")
    assert options.count() == 18
    for value in options.evaluate_all("all => all.map(({ value }) => value)"):
        page.get_by_label("Operation").select_option(value)
        expect(page).to_have_url(re.compile(f"/send/{value}$"))
        expect(page.get_by_role("button", name="Send")).to_be_visible()


def test_a_scenario_and_another_key_are_sent(server: Live, visit: Open) -> None:
    key = {"key": "rvya_sk_poor", "api": "rivya", "scopes": ["generations:read"]}
    door(server, "POST", "/accounts", {"name": "poor", "credits": 1, "keys": [key]})
    page = form(visit, server.url, "createGeneration")
    page.get_by_label("Scenario", exact=True).select_option("insufficient_credits")
    sent(page, 402)
    expect(page.locator(".sent-answer .because")).to_contain_text("'insufficient_credits' caused")
    page.get_by_label("Scenario", exact=True).select_option("")
    page.get_by_label("Key", exact=True).select_option(label="poor: rvya_sk_poor")
    sent(page, 403)


def test_a_lost_answer_is_shown_also_if_the_browser_repeats_the_request(
    server: Live, visit: Open
) -> None:
    """Chromium does so if the connection was used before."""
    page = form(visit, server.url, "createGeneration")
    door(server, "POST", "/faults", {"scenario": "lost_answer", "times": 1})
    page.get_by_role("button", name="Send").click()
    answer = page.locator(".sent-answer")
    expect(answer.locator(".status")).to_have_text(re.compile("200|no answer"))
    first = answer.get_by_role("button", name="Show the first one")
    if answer.locator(".status").inner_text() == "200":
        assert len(door(server, "GET", "/tasks")["tasks"]) == 2
        first.click()
        expect(page.locator(".requests .because")).to_contain_text("'lost_answer' caused it")
    else:
        expect(answer.locator(".because")).to_contain_text("'lost_answer' caused it")


def test_a_request_is_sent_by_keyboard(server: Live, visit: Open) -> None:
    page = visit(server.url)
    page.get_by_role("tab", name="Inboxes").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Send")).to_be_focused()
    expect(page.locator("form.send")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Operation")).to_be_focused()
    page.keyboard.type("Ask for a generation")
    order = ["Key", "Scenario", "Idempotency-Key", "Begin with"]
    for name in order:
        page.keyboard.press("Tab")
        expect(page.get_by_label(name, exact=True)).to_be_focused()
    page.get_by_label(re.compile("^prompt")).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sent-answer .status")).to_have_text("200")
    page.get_by_role("button", name="See how it is getting on.").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Operation")).to_be_focused()
    expect(page.get_by_label(re.compile("^taskId"))).to_have_value(re.compile("^task_"))


def test_a_create_that_is_held_can_be_left(visit: Open) -> None:
    with live() as server:
        page = form(visit, server.url, "createVideo")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("The clock is frozen: advance it")).to_be_visible()
        page.get_by_role("button", name="Stop waiting").click()
        expect(page.locator(".sent-answer .status")).to_have_text("no answer")
        page.get_by_role("button", name="Send").click()
        page.get_by_role("button", name="Until idle").click()
        expect(page.locator(".sent-answer .status")).to_have_text("200")
        page.close()


def test_fields_and_text_follow_each_other(server: Live, visit: Open) -> None:
    page = form(visit, server.url, "createWebhook")
    text = page.get_by_label("Body as it is sent")
    url = f"{server.url}/_mock/inbox/default/hook"
    text.fill(json.dumps({"url": url, "x": 1}))
    page.get_by_label("generation.failed").check()
    assert json.loads(text.input_value()) == {
        "url": url, "x": 1, "event_types": ["generation.failed"]
    }  # fmt: skip
    expect(page.get_by_label(re.compile("^url"))).to_have_value(url)
    page.get_by_label("generation.failed").uncheck()
    assert "event_types" not in json.loads(text.input_value())
    text.fill("no JSON")
    expect(page.get_by_text("It is sent as it is.")).to_be_visible()
    sent(page, 400)


def test_what_a_client_wrote_stays_text_in_forms(server: Live, visit: Open) -> None:
    key = {"key": "<b>key", "api": "rivya"}
    door(server, "POST", "/accounts", {"name": "odd", "credits": 99, "keys": [key]})
    page = form(visit, server.url, "createGeneration")
    page.get_by_label("Key", exact=True).select_option("<b>key")
    page.get_by_label(re.compile("^prompt")).fill(HOSTILE)
    sent(page, 200)
    expect(page.locator(".sent-answer pre").first).to_contain_text("onerror")
    assert hostile_elements(page) == []


def test_a_third_api_has_forms(visit: Open) -> None:
    settings, _ = read_settings(flags={"port": 0}, environment={}, file=None, apis=(*ALL, LUMEN))
    with served(settings, (*ALL, LUMEN)) as url, Control(url) as control:
        page = form(visit, url, "createJob")
        assert page.locator("optgroup[label=Lumen] option").count() >= 3
        page.get_by_label(re.compile("^prompt")).fill("A city at dawn")
        sent(page, 201)
        (task,) = control.worlds()[0].tasks()
        assert (task.api, task.request["prompt"]) == ("lumen", "A city at dawn")
        page.get_by_role("button", name="Look at the job.").click()
        expect(page.get_by_label(re.compile("^job"))).to_have_value(task.id)
        sent(page, 200)
        page.close()
