"""Reading tasks: their fields in each state, and no sign of an end before the end."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import acedata
from tests.mock import KEY, START_MS, TOKEN, VIDEO, MakeMock, Mock

START_S = START_MS / 1000

PENDING = {
    "_id",
    "id",
    "api_id",
    "application_id",
    "credential_id",
    "user_id",
    "created_at",
    "trace_id",
    "request",
    "response",
}


def batch(mock: Mock, ids: list[str], *, token: str = TOKEN) -> Any:
    """The answer to a batch query."""
    answer = mock.acedata("/tasks", {"action": "retrieve_batch", "ids": ids}, token=token)
    assert answer.status == 200, answer.body
    return answer.json()


# --- before the end ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_s", "extra"),
    [(0, set()), (0.199, set()), (0.2, {"started_at"}), (0.999, {"started_at"})],
)
def test_a_pending_task_shows_no_end(mock: Mock, after_s: float, extra: set[str]) -> None:
    task_id = acedata.submit(mock)
    mock.advance(after_s)
    assert set(acedata.retrieve(mock, task_id)) == PENDING | extra


@pytest.mark.parametrize("failure_rate", [0, 1])
@pytest.mark.parametrize("after_s", [0, 0.2, 0.5, 0.999, 1])
def test_a_task_shows_no_state_and_an_empty_response_before_its_end(
    make_mock: MakeMock, failure_rate: int, after_s: float
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate)
    task_id = acedata.submit(mock)
    mock.advance(after_s)
    task = acedata.retrieve(mock, task_id)
    assert not {"status", "state", "success", "error", "content"} & set(task)
    assert (task["response"] == {}) is (after_s < 1)


# --- what stands in it -------------------------------------------------------------------------


def test_ids_have_the_forms_of_the_vendors_examples(mock: Mock) -> None:
    task = acedata.retrieve(mock, acedata.submit(mock))
    assert re.fullmatch(r"[0-9a-f]{24}", task["_id"])
    names = ["id", "api_id", "application_id", "credential_id", "user_id", "trace_id"]
    assert all(acedata.UUID.fullmatch(task[name]) for name in names)
    assert len({task[name] for name in names}) == len(names)


def test_a_task_keeps_its_ids(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    before = acedata.retrieve(mock, task_id)
    mock.advance(1)
    after = acedata.retrieve(mock, task_id)
    names = PENDING - {"response"}
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def test_the_ids_of_the_account_are_the_same_in_all_its_tasks(mock: Mock) -> None:
    one, two = (
        acedata.retrieve(mock, acedata.submit(mock)),
        acedata.retrieve(mock, acedata.submit(mock)),
    )
    for name in ("api_id", "application_id", "credential_id", "user_id"):
        assert one[name] == two[name]
    for name in ("_id", "id", "trace_id"):
        assert one[name] != two[name]


def test_another_token_of_the_account_is_another_credential(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", one={}, two={})])
    one = acedata.retrieve(mock, acedata.submit(mock, token="one"), token="one")
    two = acedata.retrieve(mock, acedata.submit(mock, token="two"), token="one")
    assert one["user_id"] == two["user_id"]
    assert one["credential_id"] != two["credential_id"]


def test_ids_never_show_the_token(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    answer = mock.acedata("/tasks", {"id": task_id})
    assert TOKEN.encode() not in answer.body


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model": "minimax-t2v"},
        {"model": "minimax-i2v", "first_image_url": acedata.IMAGE_URL},
        {"mirror": True, "timeout": 5, "callback_secret": "s"},
        {"unknown": {"deep": [1, 2.5, None, "ü", "🌊"]}},
        {"large": 2**70, "small": -(2**70), "float": 1e308, "zero": -0.0},
        {"callback_url": acedata.CALLBACK_URL},
    ],
)
def test_the_request_is_the_body_as_it_was_sent(mock: Mock, fields: dict[str, Any]) -> None:
    acedata.record_callbacks(mock)
    task_id = acedata.submit(mock, **fields)
    assert acedata.retrieve(mock, task_id)["request"] == acedata.ASYNC | fields
    mock.advance(1)
    assert acedata.retrieve(mock, task_id)["request"] == acedata.ASYNC | fields


def test_no_default_is_filled_into_the_request(mock: Mock) -> None:
    assert "model" not in acedata.retrieve(mock, acedata.submit(mock))["request"]


# --- after the end -----------------------------------------------------------------------------


def test_a_finished_task_holds_the_result(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    mock.advance(1)
    task = acedata.retrieve(mock, task_id)
    assert set(task) == PENDING | {"started_at", "finished_at", "elapsed"}
    response = task["response"]
    assert list(response) == ["success", "task_id", "trace_id", "data"]
    assert (response["success"], response["task_id"]) == (True, task_id)
    assert response["trace_id"] == task["trace_id"]


def test_times_are_unix_seconds_with_their_fraction(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__queued_s=0.06, tasks__processing_s=62.125)
    mock.advance(0.5)
    task_id = acedata.submit(mock)
    mock.advance(100)
    task = acedata.retrieve(mock, task_id)
    assert task["created_at"] == START_S + 0.5
    assert task["started_at"] == START_S + 0.56
    assert task["finished_at"] == START_S + 62.685
    assert task["elapsed"] == 62.125


@pytest.mark.parametrize(
    ("setting", "fields", "expected"),
    [
        ("documented", {}, None),
        (
            "documented",
            {"model": "minimax-i2v", "first_image_url": acedata.IMAGE_URL},
            acedata.IMAGE_URL,
        ),
        ("always", {}, None),
        ("never", {}, "absent"),
        ("never", {"model": "minimax-i2v", "first_image_url": acedata.IMAGE_URL}, "absent"),
    ],
)
def test_the_first_image_in_a_task_is_null_for_text_to_video(
    make_mock: MakeMock, setting: str, fields: dict[str, Any], expected: str | None
) -> None:
    mock = make_mock(acedata__first_image_url_in_results=setting)
    task_id = acedata.submit(mock, **fields)
    mock.advance(1)
    (video,) = acedata.retrieve(mock, task_id)["response"]["data"]
    assert video.get("first_image_url", "absent") == expected


def test_a_failed_task_is_read_with_200_and_says_why(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = acedata.submit(mock)
    mock.advance(1)
    task = acedata.retrieve(mock, task_id)
    response = task["response"]
    assert list(response) == ["success", "task_id", "trace_id", "error"]
    assert (response["success"], response["task_id"]) == (False, task_id)
    assert response["trace_id"] == task["trace_id"]
    assert set(response["error"]) == {"code", "message"}
    assert response["error"]["code"] == "api_error"


@pytest.mark.parametrize(
    ("shown", "fields"), [(True, {"started_at", "finished_at", "elapsed"}), (False, {"started_at"})]
)
def test_whether_a_failed_task_shows_its_end_is_a_setting(
    make_mock: MakeMock, shown: bool, fields: set[str]
) -> None:
    mock = make_mock(tasks__failure_rate=1, acedata__failed_task_finished_at=shown)
    task_id = acedata.submit(mock)
    mock.advance(1)
    assert set(acedata.retrieve(mock, task_id)) == PENDING | fields


def test_a_succeeded_task_shows_its_end_whatever_the_setting(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__failed_task_finished_at=False)
    task_id = acedata.submit(mock)
    mock.advance(1)
    assert "finished_at" in acedata.retrieve(mock, task_id)


def test_an_ended_task_does_not_change(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    mock.advance(1)
    ended = acedata.retrieve(mock, task_id)
    mock.advance(10**7)
    assert acedata.retrieve(mock, task_id) == ended


# --- one task ----------------------------------------------------------------------------------


def test_without_an_action_a_query_is_retrieve(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    assert mock.acedata("/tasks", {"id": task_id}).json() == acedata.retrieve(mock, task_id)


def test_the_answer_is_the_task_itself(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    assert acedata.retrieve(mock, task_id)["id"] == task_id


@pytest.mark.parametrize("task_id", ["x", "6f1d2c1e-0000-4000-8000-000000000000", "ü", " "])
def test_an_unknown_task_is_not_found(mock: Mock, task_id: str) -> None:
    acedata.refusal(mock.acedata("/tasks", {"id": task_id}), "task_not_found")


def test_a_task_of_another_account_is_unknown(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", one={}), acedata.account("b", two={})])
    task_id = acedata.submit(mock, token="one")
    foreign = acedata.refusal(
        mock.acedata("/tasks", {"id": task_id}, token="two"), "task_not_found"
    )
    unknown = acedata.refusal(mock.acedata("/tasks", {"id": "x"}, token="two"), "task_not_found")
    assert foreign == unknown


def test_a_task_belongs_to_the_account_and_not_to_the_token(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", one={}, two={})])
    task_id = acedata.submit(mock, token="one")
    assert acedata.retrieve(mock, task_id, token="two")["id"] == task_id


def test_a_task_of_the_other_api_is_not_found(make_mock: MakeMock) -> None:
    both = acedata.account("a", one={})
    both["keys"].append({"key": KEY, "api": "rivya"})
    mock = make_mock(accounts=[both])
    task_id = mock.create().json()["id"]
    acedata.refusal(mock.acedata("/tasks", {"id": task_id}, token="one"), "task_not_found")


def test_retrieve_ignores_ids(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    answer = mock.acedata("/tasks", {"action": "retrieve", "id": task_id, "ids": ["x"]})
    assert answer.json()["id"] == task_id


# --- several tasks -----------------------------------------------------------------------------


def test_a_batch_is_a_list_and_its_length(mock: Mock) -> None:
    ids = [acedata.submit(mock), acedata.submit(mock)]
    answer = batch(mock, ids)
    assert list(answer) == ["items", "count"]
    assert answer == {"items": [acedata.retrieve(mock, task_id) for task_id in ids], "count": 2}


def test_a_batch_has_the_order_of_its_ids(mock: Mock) -> None:
    ids = [acedata.submit(mock) for _ in range(4)]
    for wanted in (ids, ids[::-1], [ids[2], ids[0], ids[3]]):
        assert [item["id"] for item in batch(mock, wanted)["items"]] == wanted


def test_unknown_and_foreign_ids_are_left_out_of_a_batch(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", one={}), acedata.account("b", two={})])
    own, foreign = acedata.submit(mock, token="one"), acedata.submit(mock, token="two")
    answer = batch(mock, ["x", own, foreign], token="one")
    assert ([item["id"] for item in answer["items"]], answer["count"]) == ([own], 1)


def test_an_id_that_is_repeated_in_a_batch_is_shown_once(mock: Mock) -> None:
    one, two = acedata.submit(mock), acedata.submit(mock)
    answer = batch(mock, [one, two, one, one])
    assert ([item["id"] for item in answer["items"]], answer["count"]) == ([one, two], 2)


def test_a_batch_of_unknown_ids_is_empty(mock: Mock) -> None:
    assert batch(mock, ["x", "y"]) == {"items": [], "count": 0}


def test_a_batch_may_be_large(mock: Mock) -> None:
    ids = [acedata.submit(mock) for _ in range(120)]
    assert batch(mock, ids)["count"] == 120


def test_a_batch_shows_each_task_as_it_is(mock: Mock) -> None:
    old = acedata.submit(mock)
    mock.advance(0.5)
    new = acedata.submit(mock)
    mock.advance(0.5)
    ended, pending = batch(mock, [old, new])["items"]
    assert ended["response"]["success"] is True
    assert pending["response"] == {}


def test_a_batch_ignores_id(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    body = {"action": "retrieve_batch", "ids": [task_id], "id": "x"}
    assert mock.acedata("/tasks", body).json()["count"] == 1


# --- queries that are wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "/id"),
        ({"action": "retrieve"}, "/id"),
        ({"ids": ["x"]}, "/id"),
        ({"task_id": "x"}, "/id"),
        ({"action": "retrieve", "task_id": "x"}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": None}, "/id"),
        ({"id": 1}, "/id"),
        ({"id": ["x"]}, "/id"),
        ({"action": "retrieve_batch"}, "/ids"),
        ({"action": "retrieve_batch", "id": "x"}, "/ids"),
        ({"action": "retrieve_batch", "ids": []}, "/ids"),
        ({"action": "retrieve_batch", "ids": None}, "/ids"),
        ({"action": "retrieve_batch", "ids": "x"}, "/ids"),
        ({"action": "retrieve_batch", "ids": {}}, "/ids"),
        ({"action": "retrieve_batch", "ids": ["x", ""]}, "/ids/1"),
        ({"action": "retrieve_batch", "ids": ["x", None]}, "/ids/1"),
        ({"action": "retrieve_batch", "ids": [1]}, "/ids/0"),
        ({"action": "generate", "id": "x"}, "/action"),
        ({"action": "delete", "id": "x"}, "/action"),
        ({"action": "", "id": "x"}, "/action"),
        ({"action": "RETRIEVE", "id": "x"}, "/action"),
        ({"action": None, "id": "x"}, "/action"),
        ({"action": 1, "id": "x"}, "/action"),
    ],
)
def test_a_wrong_query_is_refused_at_its_place(
    mock: Mock, body: dict[str, Any], place: str
) -> None:
    acedata.invalid_at(mock.acedata("/tasks", body), place)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"id": NaN}'])
def test_a_query_is_a_json_object(mock: Mock, body: bytes) -> None:
    acedata.refusal(mock.acedata("/tasks", body), "bad_request")


@pytest.mark.parametrize("written", ["retreive", "retrieve-batch", "retrieveBatch"])
def test_a_misspelled_action_is_told_the_near_one(mock: Mock, written: str) -> None:
    message = acedata.invalid_at(mock.acedata("/tasks", {"action": written, "id": "x"}), "/action")
    assert "'retrieve" in message


def test_filters_of_the_vendors_web_pages_are_ignored(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    filters = {"application_id": "x", "user_id": "y", "limit": 1, "offset": 5, "type": "videos"}
    assert mock.acedata("/tasks", {"id": task_id} | filters).json()["id"] == task_id


def test_queries_cost_nothing(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", credits=1, one={})])
    task_id = acedata.submit(mock, token="one")
    for _ in range(5):
        acedata.retrieve(mock, task_id, token="one")
    assert mock.world.ledger.balance("a").available_credits == 0


def test_a_pending_task_has_no_field_of_a_result(mock: Mock) -> None:
    acedata.record_callbacks(mock)
    body = VIDEO | {"callback_url": acedata.CALLBACK_URL, "first_image_url": acedata.IMAGE_URL}
    task = acedata.retrieve(mock, mock.acedata("/videos", body).json()["task_id"])
    own = {name: value for name, value in task.items() if name != "request"}
    assert not [name for name, _ in acedata.members(own) if name.endswith("_url")]
