"""The needs of published clients, under the numbers of the list of needs."""

from __future__ import annotations

from typing import Any

import pytest

from tests import acedata
from tests.asgi import Answer
from tests.mock import VIDEO, MakeMock, Mock

ENDS = {
    *("succeed", "succeeded", "success", "completed", "complete", "finished"),
    *("failed", "failure", "error", "cancelled", "canceled", "rejected"),
}
# As many things that end in _url as a request can hold.
FULL = VIDEO | {
    "model": "minimax-i2v",
    "first_image_url": acedata.IMAGE_URL,
    "callback_url": acedata.CALLBACK_URL,
    "mirror_url": acedata.IMAGE_URL,
}


def held(mock: Mock) -> Answer:
    caller = acedata.hold(mock)
    mock.advance(1)
    acedata.bring_up_to_date(mock)
    return caller.answer()


def every_kind_of_answer(mock: Mock) -> list[Answer]:
    """A 200 of each kind, from both routes."""
    acedata.record_callbacks(mock)
    task_id = acedata.submit(mock)
    query = {"action": "retrieve", "id": task_id}
    several = {"action": "retrieve_batch", "ids": [task_id, "x"]}
    pending = [mock.acedata("/tasks", query), mock.acedata("/tasks", several)]
    accepted = [mock.acedata("/videos", acedata.ASYNC), mock.acedata("/videos", FULL)]
    finished = [held(mock), mock.acedata("/tasks", query), mock.acedata("/tasks", several)]
    none = [mock.acedata("/tasks", {"action": "retrieve_batch", "ids": ["x"]})]
    return pending + accepted + finished + none


def test_1_every_200_is_one_json_object(mock: Mock) -> None:
    for answer in every_kind_of_answer(mock):
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(answer.json(), dict)
        assert b"\n" not in answer.body


@pytest.mark.parametrize("body", [acedata.ASYNC, FULL])
def test_2_an_accepted_answer_has_a_task_id_at_its_top(mock: Mock, body: dict[str, Any]) -> None:
    acedata.record_callbacks(mock)
    task_id = mock.acedata("/videos", body).json()["task_id"]
    assert isinstance(task_id, str)
    assert task_id


@pytest.mark.parametrize("after_s", [0, 0.5, 0.999])
@pytest.mark.parametrize("failure_rate", [0, 1])
def test_3_and_4_a_pending_task_has_an_empty_response_and_no_sign_of_an_end(
    make_mock: MakeMock, failure_rate: int, after_s: float
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate)
    acedata.record_callbacks(mock)
    task_id = mock.acedata("/videos", FULL).json()["task_id"]
    mock.advance(after_s)
    task = acedata.retrieve(mock, task_id)
    assert task["response"] == {}
    assert "success" not in task
    assert "success" not in task["response"]
    assert not [name for name, _ in acedata.members(task["response"]) if name.endswith("_url")]
    words = [value for name, value in acedata.members(task) if name in {"state", "status"}]
    assert not [word for word in words if str(word).lower() in ENDS]


def test_4_an_accepted_answer_holds_no_url(mock: Mock) -> None:
    acedata.record_callbacks(mock)
    assert b"http" not in mock.acedata("/videos", FULL).body


def test_5_a_finished_task_has_success_and_a_video_url(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    mock.advance(1)
    response = acedata.retrieve(mock, task_id)["response"]
    assert response["success"] is True
    assert response["data"]
    for video in response["data"]:
        assert video["video_url"].startswith("http")
        assert video["state"] in ENDS


def test_6_a_failed_task_has_no_success_and_an_error_object(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = acedata.submit(mock)
    mock.advance(1)
    response = acedata.retrieve(mock, task_id)["response"]
    assert response["success"] is False
    assert isinstance(response["error"], dict)
    assert response["error"]["code"]
    assert "data" not in response


def test_7_a_batch_is_a_list_of_objects_with_an_id(mock: Mock) -> None:
    ids = [acedata.submit(mock) for _ in range(3)]
    items = mock.acedata("/tasks", {"action": "retrieve_batch", "ids": ids}).json()["items"]
    assert isinstance(items, list)
    assert [item["id"] for item in items] == ids


AUTHENTICATION = {"invalid_token", "token_expired", "used_up", "forbidden"}


def test_8_only_errors_of_token_balance_or_moderation_are_401_or_403(
    make_mock: MakeMock,
) -> None:
    keys = [acedata.account("a", credits=0, poor={}, old={"expires_at": "2026-05-10T00:00:00Z"})]
    mock = make_mock(accounts=keys, acedata__moderated_words=["storm"])
    answers = [
        mock.acedata("/videos", acedata.ASYNC, token="nobody"),
        mock.acedata("/videos", acedata.ASYNC, token="old"),
        mock.acedata("/videos", acedata.ASYNC, token="poor"),
        mock.acedata("/videos", acedata.ASYNC | {"prompt": "storm"}, token="poor"),
        mock.acedata("/videos", {}, token="poor"),
        mock.acedata("/tasks", {"id": "x"}, token="poor"),
        mock.acedata("/nowhere", {}, token="poor"),
    ]
    shown = {answer.json()["error"]["code"] for answer in answers if answer.status in {401, 403}}
    assert shown == AUTHENTICATION


HOSTILE: list[tuple[Any, dict[str, str]]] = [
    ({"action": "[/generate]", "prompt": "a"}, {}),
    ({"action": ["generate"]}, {}),
    ({"action": "generate", "[/prompt]": "a"}, {}),
    ({"action": "generate", "model": "[b]minimax-t2v[/b]", "prompt": "a"}, {}),
    ({"action": "generate", "prompt": []}, {}),
    ({"action": "generate", "prompt": "a", "async": "[/async]"}, {}),
    ({"action": "generate", "prompt": "a", "callback_url": "[/x]"}, {}),
    ({"action": "retrieve_batch", "ids": ["[/x]", 1]}, {}),
    ({"[/id]": "x"}, {}),
    (b'{"action": "generate", "[/a]": 1, "[/a]": 2}', {}),
    (b'{"action": "generate", "[/a]": "\\ud83c"}', {}),
    (b'{"[/a]": NaN}', {}),
    (b"[/x]", {}),
    (b"[1, 2", {}),
    (acedata.ASYNC, {"content-type": "[/x]"}),
    (acedata.ASYNC, {"content-type": "application/[json]"}),
    (acedata.ASYNC, {"authorization": "[/x]"}),
    (acedata.ASYNC, {"authorization": "Bearer [/x]"}),
]


@pytest.mark.parametrize(("body", "headers"), HOSTILE)
@pytest.mark.parametrize("path", ["/videos", "/tasks", "/[/nowhere]"])
def test_9_no_message_has_a_square_bracket(
    mock: Mock, path: str, body: Any, headers: dict[str, str]
) -> None:
    answer = mock.acedata(path, body, headers=headers)
    assert answer.status >= 400
    message = answer.json()["error"]["message"]
    assert "[" not in message
    assert "]" not in message


def test_9_no_message_about_a_failed_task_has_a_square_bracket(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = acedata.submit(mock)
    mock.advance(1)
    assert "[" not in acedata.retrieve(mock, task_id)["response"]["error"]["message"]


def test_9_the_callers_own_square_brackets_come_back_as_they_were(mock: Mock) -> None:
    task_id = acedata.submit(mock, prompt="a [/b] c")
    mock.advance(1)
    task = acedata.retrieve(mock, task_id)
    assert task["request"]["prompt"] == "a [/b] c"
    assert task["response"]["data"][0]["prompt"] == "a [/b] c"


def test_9_the_documented_answer_has_no_video_url_at_its_top(mock: Mock) -> None:
    assert "video_url" not in held(mock).json()


@pytest.mark.parametrize("failure_rate", [0, 1])
def test_10_a_task_has_no_fields_of_another_service(make_mock: MakeMock, failure_rate: int) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate)
    task_id = acedata.submit(mock)
    mock.advance(1)
    assert not {"status", "content", "error", "task"} & set(acedata.retrieve(mock, task_id))


def test_11_no_answer_asks_for_payment(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", credits=0, poor={})])
    assert mock.acedata("/videos", acedata.ASYNC, token="poor").status == 403


# --- what clients send -------------------------------------------------------------------------


def test_a_client_that_leaves_action_out_gets_an_error(mock: Mock) -> None:
    acedata.refusal(mock.acedata("/videos", {"prompt": "Internal heat"}), "bad_request")


@pytest.mark.parametrize(
    "extra",
    [
        {"async": False, "callback_url": acedata.CALLBACK_URL},
        {"async": True, "callback_url": acedata.CALLBACK_URL},
        {"async": True, "first_image_url": acedata.IMAGE_URL, "model": "minimax-t2v"},
        {"async": True, "mirror": True},
    ],
)
def test_what_clients_really_send_is_accepted(mock: Mock, extra: dict[str, Any]) -> None:
    acedata.record_callbacks(mock)
    assert mock.acedata("/videos", VIDEO | extra).status == 200


def test_what_the_vendors_web_pages_send_is_accepted(mock: Mock) -> None:
    headers = {"accept": "application/x-ndjson"}
    task_id = mock.acedata("/videos", acedata.ASYNC, headers=headers).json()["task_id"]
    query = {"action": "retrieve", "id": task_id}
    answer = mock.acedata("/tasks", query, headers={"x-record-exempt": "true"})
    assert answer.json()["id"] == task_id


def test_a_retried_submission_is_another_task(mock: Mock) -> None:
    assert len({acedata.submit(mock) for _ in range(3)}) == 3
