"""The three modes: held open, callback, async. Clients that hang up, and time limits."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import acedata
from tests.asgi import Answer
from tests.mock import VIDEO, MakeMock, Mock

FROM_IMAGE = VIDEO | {"model": "minimax-i2v", "first_image_url": acedata.IMAGE_URL}
WITH_CALLBACK = VIDEO | {"callback_url": acedata.CALLBACK_URL}


def pass_time(mock: Mock, seconds: float) -> None:
    """Move the clock, and bring the world up to date with another request."""
    mock.advance(seconds)
    acedata.bring_up_to_date(mock)


def held(mock: Mock, seconds: float) -> Answer:
    """The answer to a request that is held open, after some time."""
    caller = acedata.hold(mock)
    pass_time(mock, seconds)
    return caller.answer()


# --- held open ---------------------------------------------------------------------------------


def test_the_finished_answer_has_the_form_of_the_vendors_example(mock: Mock) -> None:
    body = held(mock, 1).json()
    assert list(body) == ["success", "task_id", "trace_id", "data"]
    assert body["success"] is True
    (video,) = body["data"]
    assert list(video) == ["id", "model", "prompt", "video_url", "state"]
    assert (video["model"], video["prompt"], video["state"]) == (
        "minimax-t2v",
        "Internal heat",
        "succeeded",
    )


def test_ids_have_the_forms_of_the_vendors_examples(mock: Mock) -> None:
    body = held(mock, 1).json()
    video_id = body["data"][0]["id"]
    assert acedata.UUID.fullmatch(body["task_id"])
    assert acedata.UUID.fullmatch(body["trace_id"])
    assert re.fullmatch(r"[0-9a-z]{26}", video_id)
    assert len({body["task_id"], body["trace_id"], video_id}) == 3


@pytest.mark.parametrize(("after_s", "waits"), [(0, True), (0.2, True), (0.999, True), (1, False)])
def test_the_connection_stays_open_until_the_video_is_ready(
    mock: Mock, after_s: float, waits: bool
) -> None:
    caller = acedata.hold(mock)
    pass_time(mock, after_s)
    caller.settle()
    assert caller.is_open == waits
    assert bool(caller.messages) != waits


def test_other_requests_are_answered_while_one_is_held_open(mock: Mock) -> None:
    caller = acedata.hold(mock)
    task_id = acedata.submit(mock)
    assert acedata.retrieve(mock, task_id)["id"] == task_id
    assert caller.is_open


def test_each_client_gets_its_video_when_it_is_ready(mock: Mock) -> None:
    early = acedata.hold(mock, VIDEO | {"prompt": "early"})
    pass_time(mock, 0.5)
    late = acedata.hold(mock, VIDEO | {"prompt": "late"})
    pass_time(mock, 0.5)
    assert early.answer().json()["data"][0]["prompt"] == "early"
    assert late.is_open
    pass_time(mock, 0.5)
    assert late.answer().json()["data"][0]["prompt"] == "late"


def test_many_requests_are_held_open_at_once(mock: Mock) -> None:
    callers = [acedata.hold(mock) for _ in range(30)]
    pass_time(mock, 1)
    assert len({caller.answer().json()["task_id"] for caller in callers}) == 30


def test_async_false_is_held_open(mock: Mock) -> None:
    caller = acedata.hold(mock, VIDEO | {"async": False})
    assert caller.is_open
    pass_time(mock, 1)
    assert caller.answer().json()["success"] is True


def test_the_answer_leads_to_a_video(mock: Mock) -> None:
    caller = acedata.hold(mock)
    pass_time(mock, 1)
    url = caller.answer().json()["data"][0]["video_url"]
    assert url.startswith("http://mock.test/")
    assert url.endswith(".mp4")
    answer = mock.request("GET", urlsplit(url).path)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")


def test_a_later_query_shows_the_same_result(mock: Mock) -> None:
    caller = acedata.hold(mock)
    pass_time(mock, 1)
    body = caller.answer().json()
    task = acedata.retrieve(mock, body["task_id"])
    assert task["trace_id"] == body["trace_id"]
    assert task["response"]["task_id"] == body["task_id"]
    assert task["response"]["data"][0]["id"] == body["data"][0]["id"]


@pytest.mark.parametrize(
    ("setting", "body", "expected"),
    [
        ("documented", VIDEO, "absent"),
        ("documented", FROM_IMAGE, acedata.IMAGE_URL),
        ("documented", VIDEO | {"first_image_url": acedata.IMAGE_URL}, acedata.IMAGE_URL),
        ("always", VIDEO, None),
        ("always", FROM_IMAGE, acedata.IMAGE_URL),
        ("never", VIDEO, "absent"),
        ("never", FROM_IMAGE, "absent"),
    ],
)
def test_the_first_image_is_shown_as_sent_if_the_setting_says_so(
    make_mock: MakeMock, setting: str, body: dict[str, Any], expected: str | None
) -> None:
    mock = make_mock(acedata__first_image_url_in_results=setting)
    caller = acedata.hold(mock, body)
    pass_time(mock, 1)
    assert caller.answer().json()["data"][0].get("first_image_url", "absent") == expected


@pytest.mark.parametrize("model", ["minimax-i2v", "minimax-i2v-director"])
def test_a_video_without_a_prompt_shows_an_empty_one(mock: Mock, model: str) -> None:
    body = {"action": "generate", "model": model, "first_image_url": acedata.IMAGE_URL}
    caller = acedata.hold(mock, body)
    pass_time(mock, 1)
    (video,) = caller.answer().json()["data"]
    assert (video["model"], video["prompt"]) == (model, "")


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "*/*", "text/html"])
def test_the_answer_is_json_for_every_accept_header(mock: Mock, accept: str) -> None:
    answer = mock.acedata("/videos", acedata.ASYNC, headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["task_id"]


# --- held open, and it goes wrong --------------------------------------------------------------


def test_a_failed_video_is_an_api_error_under_the_tasks_own_trace(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    caller = acedata.hold(mock)
    pass_time(mock, 1)
    answer = caller.answer()
    acedata.refusal(answer, "api_error")
    task_id = only_task(mock)
    assert answer.json()["trace_id"] == acedata.retrieve(mock, task_id)["trace_id"]


def only_task(mock: Mock) -> str:
    """The id of the world's one task; an error body does not name it."""
    assert len(mock.world.tasks) == 1
    return mock.world.ids.task("acedata", 1)


def test_a_failed_video_stays_a_failed_task(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    acedata.refusal(held(mock, 1), "api_error")
    task_id = only_task(mock)
    assert acedata.retrieve(mock, task_id)["response"]["error"]["code"] == "api_error"


@pytest.mark.parametrize(("after_s", "waits"), [(0.499, True), (0.5, False)])
def test_a_request_is_held_as_long_as_the_limit_says(
    make_mock: MakeMock, after_s: float, waits: bool
) -> None:
    mock = make_mock(acedata__hold_limit_s=0.5)
    caller = acedata.hold(mock)
    pass_time(mock, after_s)
    caller.settle()
    assert caller.is_open == waits
    if not waits:
        acedata.refusal(caller.answer(), "timeout")


def test_a_video_that_is_ready_at_the_limit_is_answered(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__hold_limit_s=1)
    assert held(mock, 1).status == 200


def test_the_task_of_a_timeout_goes_on(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__hold_limit_s=0.5)
    acedata.refusal(held(mock, 0.5), "timeout")
    task_id = only_task(mock)
    assert acedata.retrieve(mock, task_id)["response"] == {}
    mock.advance(0.5)
    assert acedata.retrieve(mock, task_id)["response"]["success"] is True


def test_the_default_limit_is_half_an_hour(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__processing_s=10**6)
    caller = acedata.hold(mock)
    pass_time(mock, 1799.999)
    caller.settle()
    assert caller.is_open
    pass_time(mock, 0.001)
    acedata.refusal(caller.answer(), "timeout")


def test_the_task_continues_after_its_client_hangs_up(mock: Mock) -> None:
    caller = acedata.hold(mock)
    caller.hang_up()
    assert not caller.is_open
    assert caller.messages == []
    mock.advance(1)
    task_id = only_task(mock)
    assert acedata.retrieve(mock, task_id)["response"]["success"] is True


def test_a_client_that_hangs_up_after_the_end_disturbs_nothing(mock: Mock) -> None:
    caller = acedata.hold(mock)
    pass_time(mock, 1)
    caller.hang_up()
    assert acedata.submit(mock)


def test_the_limit_ends_no_request_whose_client_hung_up(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__hold_limit_s=0.5)
    acedata.hold(mock).hang_up()
    other = acedata.hold(mock)
    pass_time(mock, 0.5)
    acedata.refusal(other.answer(), "timeout")


def test_a_stopping_server_answers_every_held_open_request(mock: Mock) -> None:
    callers = [acedata.hold(mock) for _ in range(3)]
    mock.fake.release_all_waiters()
    for caller in callers:
        acedata.refusal(caller.answer(), "api_error")


def test_a_server_may_stop_when_a_video_is_ready(mock: Mock) -> None:
    caller = acedata.hold(mock)
    mock.advance(1)
    mock.fake.worlds["default"].timekeeper.catch_up()
    mock.fake.release_all_waiters()
    assert caller.answer().status == 200


def test_a_video_that_takes_no_time_is_answered_at_once_on_a_frozen_clock(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(tasks__queued_s=0, tasks__processing_s=0)
    assert acedata.hold(mock).answer().json()["success"] is True


def test_a_limit_of_zero_is_a_timeout_at_once_on_a_frozen_clock(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__hold_limit_s=0)
    acedata.refusal(acedata.hold(mock).answer(), "timeout")


# --- accepted ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "extra",
    [
        {"async": True},
        {"callback_url": acedata.CALLBACK_URL},
        {"callback_url": acedata.CALLBACK_URL, "async": False},
        {"callback_url": acedata.CALLBACK_URL, "async": True},
    ],
)
def test_callback_and_async_mode_answer_at_once_with_the_id_alone(
    mock: Mock, extra: dict[str, Any]
) -> None:
    acedata.record_callbacks(mock)
    answer = mock.acedata("/videos", VIDEO | extra)
    assert answer.status == 200
    assert list(answer.json()) == ["task_id"]
    assert acedata.UUID.fullmatch(answer.json()["task_id"])


def test_two_equal_requests_are_two_tasks(mock: Mock) -> None:
    assert acedata.submit(mock) != acedata.submit(mock)


def test_an_idempotency_key_is_ignored(mock: Mock) -> None:
    ids = [
        mock.acedata("/videos", acedata.ASYNC, headers={"idempotency-key": "k"}).json()["task_id"]
        for _ in range(2)
    ]
    assert ids[0] != ids[1]


# --- callbacks ---------------------------------------------------------------------------------


def test_no_callback_goes_out_before_the_task_has_ended(mock: Mock) -> None:
    sender = acedata.record_callbacks(mock)
    mock.acedata("/videos", WITH_CALLBACK)
    pass_time(mock, 0.999)
    assert sender.posts == []


def test_one_callback_goes_out_when_the_task_has_ended(mock: Mock) -> None:
    sender = acedata.record_callbacks(mock)
    mock.acedata("/videos", WITH_CALLBACK)
    pass_time(mock, 1)
    pass_time(mock, 1000)
    assert [url for url, _ in sender.posts] == [acedata.CALLBACK_URL]


@pytest.mark.parametrize("extra", [{}, {"async": False}, {"async": True}])
def test_the_callback_holds_what_a_held_open_request_is_answered(
    mock: Mock, extra: dict[str, Any]
) -> None:
    sender = acedata.record_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK | extra).json()["task_id"]
    held = acedata.hold(mock)
    pass_time(mock, 1)
    ((_, body),) = sender.posts
    assert body["task_id"] == task_id
    answered = held.answer().json()
    assert list(body) == list(answered)
    assert [list(video) for video in body["data"]] == [list(video) for video in answered["data"]]


def test_the_callback_has_the_trace_of_the_task(mock: Mock) -> None:
    sender = acedata.record_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK).json()["task_id"]
    pass_time(mock, 1)
    assert sender.posts[0][1]["trace_id"] == acedata.retrieve(mock, task_id)["trace_id"]


def test_the_callback_of_a_failed_task_says_why(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    sender = acedata.record_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK).json()["task_id"]
    pass_time(mock, 1)
    ((_, body),) = sender.posts
    assert list(body) == ["success", "task_id", "trace_id", "error"]
    assert (body["success"], body["task_id"]) == (False, task_id)
    assert body["error"]["code"] == "api_error"
    assert body == acedata.retrieve(mock, task_id)["response"]


def test_the_urls_of_a_callback_begin_with_the_address_that_the_client_used(mock: Mock) -> None:
    sender = acedata.record_callbacks(mock)
    mock.acedata("/videos", WITH_CALLBACK, headers={"host": "fake.example:8080"})
    pass_time(mock, 1)
    video_url = sender.posts[0][1]["data"][0]["video_url"]
    assert video_url.startswith("http://fake.example:8080/media/")


@pytest.mark.parametrize("body", [VIDEO | {"async": True}, VIDEO])
def test_without_a_callback_url_nothing_is_sent(mock: Mock, body: dict[str, Any]) -> None:
    sender = acedata.record_callbacks(mock)
    acedata.hold(mock, body)
    pass_time(mock, 1)
    assert sender.posts == []


def test_callback_does_not_exclude_polling(mock: Mock) -> None:
    acedata.record_callbacks(mock)
    task_id = mock.acedata("/videos", WITH_CALLBACK).json()["task_id"]
    mock.advance(1)
    assert acedata.retrieve(mock, task_id)["response"]["success"] is True


def test_a_failed_callback_does_not_change_its_task(mock: Mock) -> None:
    body = VIDEO | {"callback_url": "http://not-allowed.example/hook"}
    task_id = mock.acedata("/videos", body).json()["task_id"]
    mock.advance(1)
    assert acedata.retrieve(mock, task_id)["response"]["success"] is True
