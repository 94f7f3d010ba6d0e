"""The three modes: held open, callback, async; and what becomes of whoever waits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.apis.acedata.conftest import (
    ASYNC,
    CALLBACK_URL,
    IMAGE_URL,
    UUID,
    Caller,
    let_due_things_happen,
    note_callbacks,
    refusal,
    retrieve,
    submit,
)
from tests.mock import VIDEO, Mock

MakeMock = Callable[..., Mock]
Hold = Callable[..., Caller]

FROM_IMAGE = VIDEO | {"model": "minimax-i2v", "first_image_url": IMAGE_URL}
WITH_CALLBACK = VIDEO | {"callback_url": CALLBACK_URL}


def let_pass(mock: Mock, seconds: float) -> None:
    """Let time pass, and let another request bring the world up to it."""
    mock.advance(seconds)
    let_due_things_happen(mock)


# --- held open ---------------------------------------------------------------------------------


def test_the_finished_answer_has_the_form_of_the_vendors_example(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    let_pass(mock, 1)
    body = caller.answer().json()
    assert list(body) == ["success", "task_id", "trace_id", "data"]
    assert body["success"] is True
    (video,) = body["data"]
    assert list(video) == ["id", "model", "prompt", "video_url", "state"]
    assert (video["model"], video["prompt"], video["state"]) == (
        "minimax-t2v",
        "Internal heat",
        "succeeded",
    )


def test_ids_have_the_forms_of_the_vendors_examples(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    let_pass(mock, 1)
    body = caller.answer().json()
    video_id = body["data"][0]["id"]
    assert UUID.fullmatch(body["task_id"])
    assert UUID.fullmatch(body["trace_id"])
    assert re.fullmatch(r"[0-9a-z]{26}", video_id)
    assert len({body["task_id"], body["trace_id"], video_id}) == 3


@pytest.mark.parametrize(("after_s", "waits"), [(0, True), (0.2, True), (0.999, True), (1, False)])
def test_the_connection_stays_open_until_the_video_is_ready(
    mock: Mock, hold: Hold, after_s: float, waits: bool
) -> None:
    caller = hold(mock)
    let_pass(mock, after_s)
    caller.breathe()
    assert caller.waits == waits
    assert bool(caller.messages) != waits


def test_others_are_answered_while_somebody_waits(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    task_id = submit(mock)
    assert retrieve(mock, task_id)["id"] == task_id
    assert caller.waits


def test_everybody_gets_their_own_video_at_its_own_moment(mock: Mock, hold: Hold) -> None:
    early = hold(mock, VIDEO | {"prompt": "early"})
    let_pass(mock, 0.5)
    late = hold(mock, VIDEO | {"prompt": "late"})
    let_pass(mock, 0.5)
    assert early.answer().json()["data"][0]["prompt"] == "early"
    assert late.waits
    let_pass(mock, 0.5)
    assert late.answer().json()["data"][0]["prompt"] == "late"


def test_many_callers_wait_at_once(mock: Mock, hold: Hold) -> None:
    callers = [hold(mock) for _ in range(30)]
    let_pass(mock, 1)
    assert len({caller.answer().json()["task_id"] for caller in callers}) == 30


def test_async_false_is_held_open(mock: Mock, hold: Hold) -> None:
    caller = hold(mock, VIDEO | {"async": False})
    assert caller.waits
    let_pass(mock, 1)
    assert caller.answer().json()["success"] is True


def test_the_answer_leads_to_a_video(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    let_pass(mock, 1)
    url = caller.answer().json()["data"][0]["video_url"]
    assert url.startswith("http://mock.test/")
    assert url.endswith(".mp4")
    answer = mock.request("GET", urlsplit(url).path)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")


def test_the_task_can_be_queried_afterwards_and_tells_the_same(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    let_pass(mock, 1)
    body = caller.answer().json()
    task = retrieve(mock, body["task_id"])
    assert task["trace_id"] == body["trace_id"]
    assert task["response"]["task_id"] == body["task_id"]
    assert task["response"]["data"][0]["id"] == body["data"][0]["id"]


@pytest.mark.parametrize(
    ("setting", "body", "expected"),
    [
        ("documented", VIDEO, "absent"),
        ("documented", FROM_IMAGE, IMAGE_URL),
        ("documented", VIDEO | {"first_image_url": IMAGE_URL}, IMAGE_URL),
        ("always", VIDEO, None),
        ("always", FROM_IMAGE, IMAGE_URL),
        ("never", VIDEO, "absent"),
        ("never", FROM_IMAGE, "absent"),
    ],
)
def test_the_first_image_is_shown_as_sent_where_the_setting_wants_it(
    make_mock: MakeMock, hold: Hold, setting: str, body: dict[str, Any], expected: str | None
) -> None:
    mock = make_mock(acedata__first_image_url_in_results=setting)
    caller = hold(mock, body)
    let_pass(mock, 1)
    assert caller.answer().json()["data"][0].get("first_image_url", "absent") == expected


@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_a_video_without_a_prompt_shows_an_empty_one(mock: Mock, hold: Hold, model: str) -> None:
    body = {"action": "generate", "model": model, "first_image_url": IMAGE_URL}
    caller = hold(mock, body)
    let_pass(mock, 1)
    (video,) = caller.answer().json()["data"]
    assert (video["model"], video["prompt"]) == (model, "")


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "*/*", "text/html"])
def test_the_answer_is_plain_json_whatever_accept_says(mock: Mock, accept: str) -> None:
    answer = mock.acedata("/videos", ASYNC, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["task_id"]


# --- held open, and it goes wrong --------------------------------------------------------------


def test_a_failed_video_is_an_api_error_under_the_tasks_own_trace(
    make_mock: MakeMock, hold: Hold
) -> None:
    mock = make_mock(tasks__failure_rate=1)
    caller = hold(mock)
    let_pass(mock, 1)
    answer = caller.answer()
    refusal(answer, "api_error")
    task_id = only_task(mock)
    assert answer.json()["trace_id"] == retrieve(mock, task_id)["trace_id"]


def only_task(mock: Mock) -> str:
    """The id of the world's one task; an error body does not name it."""
    assert len(mock.world.tasks) == 1
    return mock.world.ids.task("acedata", 1)


def test_a_failed_video_stays_a_failed_task(make_mock: MakeMock, hold: Hold) -> None:
    mock = make_mock(tasks__failure_rate=1)
    caller = hold(mock)
    let_pass(mock, 1)
    refusal(caller.answer(), "api_error")
    task_id = only_task(mock)
    assert retrieve(mock, task_id)["response"]["error"]["code"] == "api_error"


@pytest.mark.parametrize(("after_s", "waits"), [(0.499, True), (0.5, False)])
def test_a_request_is_held_as_long_as_the_limit_says(
    make_mock: MakeMock, hold: Hold, after_s: float, waits: bool
) -> None:
    mock = make_mock(acedata__hold_limit_s=0.5)
    caller = hold(mock)
    let_pass(mock, after_s)
    caller.breathe()
    assert caller.waits == waits
    if not waits:
        refusal(caller.answer(), "timeout")


def test_a_video_that_is_ready_at_the_limit_is_answered(make_mock: MakeMock, hold: Hold) -> None:
    mock = make_mock(acedata__hold_limit_s=1)
    caller = hold(mock)
    let_pass(mock, 1)
    assert caller.answer().status == 200


def test_the_task_of_a_timeout_goes_on(make_mock: MakeMock, hold: Hold) -> None:
    mock = make_mock(acedata__hold_limit_s=0.5)
    caller = hold(mock)
    let_pass(mock, 0.5)
    refusal(caller.answer(), "timeout")
    task_id = only_task(mock)
    assert retrieve(mock, task_id)["response"] == {}
    mock.advance(0.5)
    assert retrieve(mock, task_id)["response"]["success"] is True


def test_the_default_limit_is_half_an_hour(make_mock: MakeMock, hold: Hold) -> None:
    mock = make_mock(tasks__processing_s=10**6)
    caller = hold(mock)
    let_pass(mock, 1799.999)
    caller.breathe()
    assert caller.waits
    let_pass(mock, 0.001)
    refusal(caller.answer(), "timeout")


def test_the_task_of_a_caller_who_hangs_up_goes_on(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    caller.hang_up()
    assert not caller.waits
    assert caller.messages == []
    mock.advance(1)
    task_id = only_task(mock)
    assert retrieve(mock, task_id)["response"]["success"] is True


def test_a_caller_who_hangs_up_late_does_no_harm(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    let_pass(mock, 1)
    caller.hang_up()
    assert submit(mock)


def test_whoever_hangs_up_before_the_limit_is_forgotten_by_it(
    make_mock: MakeMock, hold: Hold
) -> None:
    mock = make_mock(acedata__hold_limit_s=0.5)
    hold(mock).hang_up()
    other = hold(mock)
    let_pass(mock, 0.5)
    refusal(other.answer(), "timeout")


def test_a_server_that_stops_lets_everybody_go_with_an_answer(mock: Mock, hold: Hold) -> None:
    callers = [hold(mock) for _ in range(3)]
    mock.fake.let_everybody_go()
    for caller in callers:
        refusal(caller.answer(), "api_error")


def test_a_server_may_stop_at_the_very_moment_a_video_is_ready(mock: Mock, hold: Hold) -> None:
    caller = hold(mock)
    mock.advance(1)
    mock.fake.timekeepers["default"].catch_up()
    mock.fake.let_everybody_go()
    assert caller.answer().status == 200


def test_a_video_that_takes_no_time_is_answered_at_once_on_a_frozen_clock(
    make_mock: MakeMock, hold: Hold
) -> None:
    mock = make_mock(tasks__queued_s=0, tasks__processing_s=0)
    assert hold(mock).answer().json()["success"] is True


def test_a_limit_of_nothing_is_a_timeout_at_once_on_a_frozen_clock(
    make_mock: MakeMock, hold: Hold
) -> None:
    mock = make_mock(acedata__hold_limit_s=0)
    refusal(hold(mock).answer(), "timeout")


# --- accepted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [
        {"async": True},
        {"callback_url": CALLBACK_URL},
        {"callback_url": CALLBACK_URL, "async": False},
        {"callback_url": CALLBACK_URL, "async": True},
    ],
)
def test_callback_and_async_mode_answer_at_once_with_the_id_alone(
    mock: Mock, extra: dict[str, Any]
) -> None:
    note_callbacks(mock)
    answer = mock.acedata("/videos", VIDEO | extra)
    assert answer.status == 200
    assert list(answer.json()) == ["task_id"]
    assert UUID.fullmatch(answer.json()["task_id"])


def test_two_equal_requests_are_two_tasks(mock: Mock) -> None:
    assert submit(mock) != submit(mock)


def test_an_idempotency_key_means_nothing_here(mock: Mock) -> None:
    ids = [
        mock.acedata("/videos", ASYNC, headers={"idempotency-key": "k"}).json()["task_id"]
        for _ in range(2)
    ]
    assert ids[0] != ids[1]


# --- callbacks ---------------------------------------------------------------------------------


def test_no_callback_goes_out_before_the_task_has_ended(mock: Mock) -> None:
    sender = note_callbacks(mock)
    mock.acedata("/videos", WITH_CALLBACK)
    let_pass(mock, 0.999)
    assert sender.posts == []


def test_one_callback_goes_out_when_the_task_has_ended(mock: Mock) -> None:
    sender = note_callbacks(mock)
    mock.acedata("/videos", WITH_CALLBACK)
    let_pass(mock, 1)
    let_pass(mock, 1000)
    assert [url for url, _ in sender.posts] == [CALLBACK_URL]


@pytest.mark.parametrize("extra", [{}, {"async": False}, {"async": True}])
def test_the_callback_holds_what_a_held_open_request_is_answered(
    mock: Mock, hold: Hold, extra: dict[str, Any]
) -> None:
    sender = note_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK | extra).json()["task_id"]
    held = hold(mock)
    let_pass(mock, 1)
    ((_, body),) = sender.posts
    assert body["task_id"] == task_id
    answered = held.answer().json()
    assert list(body) == list(answered)
    assert [list(video) for video in body["data"]] == [list(video) for video in answered["data"]]


def test_the_callback_has_the_trace_of_the_task(mock: Mock) -> None:
    sender = note_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK).json()["task_id"]
    let_pass(mock, 1)
    assert sender.posts[0][1]["trace_id"] == retrieve(mock, task_id)["trace_id"]


def test_the_callback_of_a_failed_task_says_why(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    sender = note_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK).json()["task_id"]
    let_pass(mock, 1)
    ((_, body),) = sender.posts
    assert list(body) == ["success", "task_id", "trace_id", "error"]
    assert (body["success"], body["task_id"]) == (False, task_id)
    assert body["error"]["code"] == "api_error"
    assert body == retrieve(mock, task_id)["response"]


def test_the_urls_of_a_callback_lead_back_to_where_the_client_came(mock: Mock) -> None:
    sender = note_callbacks(mock)
    mock.acedata("/videos", WITH_CALLBACK, headers={"host": "fake.example:8080"})
    let_pass(mock, 1)
    video_url = sender.posts[0][1]["data"][0]["video_url"]
    assert video_url.startswith("http://fake.example:8080/media/")


@pytest.mark.parametrize("body", [VIDEO | {"async": True}, VIDEO])
def test_without_a_callback_url_nothing_is_sent(
    mock: Mock, hold: Hold, body: dict[str, Any]
) -> None:
    sender = note_callbacks(mock)
    hold(mock, body)
    let_pass(mock, 1)
    assert sender.posts == []


def test_callback_does_not_exclude_polling(mock: Mock) -> None:
    note_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK).json()["task_id"]
    mock.advance(1)
    assert retrieve(mock, task_id)["response"]["success"] is True


def test_a_callback_that_nobody_takes_does_the_task_no_harm(mock: Mock) -> None:
    body = VIDEO | {"callback_url": "http://not-allowed.example/hook"}
    task_id = mock.acedata("/videos", body).json()["task_id"]
    mock.advance(1)
    assert retrieve(mock, task_id)["response"]["success"] is True
