"""Create a generation and follow it to its end."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import rivya
from tests.mock import KEY, MINIMAL, MakeMock, Mock

# The example of the vendor's model page, its id aside.
CREATED = {
    "status": "queued",
    "model": "hailuo-pro",
    "reserved_credits": 57,
    "final_credits": 0,
    "created_at": "2026-05-11T00:00:00.000Z",
    "updated_at": "2026-05-11T00:00:00.000Z",
    "result": None,
    "error": None,
}
SEED_MINIMAL = {
    "model": "hailuo-pro",
    "prompt": "A cinematic product reveal with smooth camera movement",
    "params": {"prompt_optimizer": "false"},
}
SEED_REFERENCE = {
    "model": "hailuo-pro",
    "prompt": "A cinematic product reveal with smooth camera movement",
    "params": {
        "prompt_optimizer": "false",
        "referenceMediaItems": [
            {
                "url": "https://cdn.example.com/reference-image.png",
                "kind": "image",
                "name": "reference-image.png",
                "mimeType": "image/png",
            }
        ],
    },
}


@pytest.mark.parametrize("body", [SEED_MINIMAL, SEED_REFERENCE, MINIMAL])
def test_the_answer_to_a_create_is_the_documented_example(mock: Mock, body: Any) -> None:
    answer = mock.rivya("POST", "/generations", body)
    assert answer.status == 200
    assert list(answer.json().items())[1:] == list(CREATED.items())
    assert next(iter(answer.json())) == "id"


def test_an_id_is_opaque_url_safe_and_long_enough_not_to_be_guessed(mock: Mock) -> None:
    assert re.fullmatch(r"task_[0-9A-Za-z_-]{16,}", mock.create().json()["id"])


def test_every_create_makes_another_task(mock: Mock) -> None:
    assert len({mock.create().json()["id"] for _ in range(20)}) == 20


def test_the_same_seed_makes_the_same_ids(make_mock: MakeMock) -> None:
    first, second = make_mock(seed=7), make_mock(seed=7)
    assert first.create().json()["id"] == second.create().json()["id"]


def test_another_seed_makes_other_ids(make_mock: MakeMock) -> None:
    first, second = make_mock(seed=7), make_mock(seed=8)
    assert first.create().json()["id"] != second.create().json()["id"]


def test_get_shows_the_very_answer_of_create(mock: Mock) -> None:
    created = mock.create()
    assert mock.rivya("GET", f"/generations/{created.json()['id']}").body == created.body


@pytest.mark.parametrize(
    ("model", "price"),
    [("hailuo-pro", rivya.PRO_CREDITS), ("hailuo-standard", rivya.STANDARD_CREDITS)],
)
def test_a_model_reserves_its_price(mock: Mock, model: str, price: int) -> None:
    created = mock.create(model=model).json()
    assert (created["model"], created["reserved_credits"]) == (model, price)


@pytest.mark.parametrize("resolution", ["512P", "768P"])
@pytest.mark.parametrize("duration", ["6", "10"])
def test_the_price_of_a_fixed_model_does_not_depend_on_params(
    mock: Mock, duration: str, resolution: str
) -> None:
    params = {"duration": duration, "resolution": resolution, "prompt_optimizer": "true"}
    created = mock.create(model="hailuo-standard", params=params).json()
    assert created["reserved_credits"] == rivya.STANDARD_CREDITS


@pytest.mark.parametrize("status", [201, 202])
def test_the_status_of_a_create_is_a_setting(make_mock: MakeMock, status: int) -> None:
    mock = make_mock(rivya__create_status=status)
    assert mock.create().status == status
    rivya.allow_undocumented_status(mock, status)


def test_the_status_of_a_create_does_not_change_that_of_a_read(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__create_status=202)
    task_id = mock.create().json()["id"]
    rivya.allow_undocumented_status(mock, 202)
    assert mock.rivya("GET", f"/generations/{task_id}").status == 200


# --- its life ----------------------------------------------------------------------------------

TIMES = {"tasks__queued_s": 2, "tasks__processing_s": 5}


@pytest.mark.parametrize(
    ("failure_rate", "after_s", "status", "updated_at"),
    [
        *[(rate, at_s, "queued", "00:00:00.000") for rate in (0, 1) for at_s in (0, 1.999)],
        *[(rate, at_s, "processing", "00:00:02.000") for rate in (0, 1) for at_s in (2, 6.999)],
        *[(0, at_s, "succeeded", "00:00:07.000") for at_s in (7, 7.001, 10**6)],
        *[(1, at_s, "failed", "00:00:07.000") for at_s in (7, 10**6)],
    ],
)
def test_the_state_moves_at_its_moments_and_updated_at_with_it(
    make_mock: MakeMock, failure_rate: int, after_s: float, status: str, updated_at: str
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate, **TIMES)
    task_id = mock.create().json()["id"]
    mock.advance(after_s)
    seen = mock.generation(task_id)
    assert seen["status"] == status
    assert seen["updated_at"] == f"2026-05-11T{updated_at}Z"
    assert seen["created_at"] == "2026-05-11T00:00:00.000Z"


@pytest.mark.parametrize(
    ("failure_rate", "after_s", "final"),
    [(0, 0, 0), (0, 6.999, 0), (0, 7, rivya.PRO_CREDITS), (1, 6.999, 0), (1, 7, 0)],
)
def test_final_credits_are_zero_until_the_task_has_succeeded(
    make_mock: MakeMock, failure_rate: int, after_s: float, final: int
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate, **TIMES)
    task_id = mock.create().json()["id"]
    mock.advance(after_s)
    seen = mock.generation(task_id)
    assert (seen["reserved_credits"], seen["final_credits"]) == (rivya.PRO_CREDITS, final)


@pytest.mark.parametrize("after_s", [0, 0.5, 0.999, 1, 2, 100])
@pytest.mark.parametrize("failure_rate", [0, 1])
def test_result_error_and_video_exist_only_in_their_state(
    make_mock: MakeMock, failure_rate: int, after_s: float
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate)
    task_id = mock.create().json()["id"]
    mock.advance(after_s)
    seen = mock.generation(task_id)
    assert (seen["result"] is not None) == (seen["status"] == "succeeded")
    assert (seen["error"] is not None) == (seen["status"] == "failed")
    video = mock.request("GET", f"/media/default/{task_id}.mp4")
    assert video.status == (200 if seen["status"] == "succeeded" else 404)


def test_a_failed_task_is_read_with_200_and_says_why(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = mock.create().json()["id"]
    mock.advance(1)
    answer = mock.rivya("GET", f"/generations/{task_id}")
    assert answer.status == 200
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.json()["error"]["code"] == "generation_failed"


def test_a_finished_task_has_exactly_one_result_url(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    result = mock.generation(task_id)["result"]
    assert list(result) == ["primary_url", "urls"]
    assert result["urls"] == [result["primary_url"]]


def test_a_terminal_state_never_changes(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    ended = mock.generation(task_id)
    mock.advance(10**7)
    assert mock.generation(task_id) == ended


def test_reading_changes_nothing(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    for _ in range(3):
        mock.advance(0.1)
        mock.generation(task_id)
    mock.advance(0.7)
    assert mock.generation(task_id)["updated_at"] == "2026-05-11T00:00:01.000Z"


def test_a_poll_is_answered_without_advice_on_when_to_come_back(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    assert "retry-after" not in mock.rivya("GET", f"/generations/{task_id}").headers


def test_some_tasks_of_a_half_failing_world_fail_and_always_the_same(make_mock: MakeMock) -> None:
    def outcomes() -> list[str]:
        mock = make_mock(tasks__failure_rate=0.5, seed=3)
        ids = [mock.create().json()["id"] for _ in range(20)]
        mock.advance(1)
        return [mock.generation(task_id)["status"] for task_id in ids]

    first = outcomes()
    assert set(first) == {"succeeded", "failed"}
    assert outcomes() == first


# --- whose it is -------------------------------------------------------------------------------


def test_a_task_of_another_account_is_unknown(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}), rivya.account("b", b={})])
    task_id = mock.create().json()["id"]
    foreign = rivya.refusal(
        mock.rivya("GET", f"/generations/{task_id}", key="rvya_sk_b"), "not_found"
    )
    unknown = rivya.refusal(mock.rivya("GET", "/generations/task_x", key="rvya_sk_b"), "not_found")
    assert foreign == unknown


def test_a_task_belongs_to_the_account_and_not_to_the_key(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}, second={})])
    task_id = mock.create().json()["id"]
    answer = mock.rivya("GET", f"/generations/{task_id}", key="rvya_sk_second")
    assert answer.json()["id"] == task_id


def test_a_task_of_the_other_api_is_not_found(make_mock: MakeMock) -> None:
    both = rivya.account("a", test={})
    both["keys"].append({"key": "token", "api": "acedata"})
    mock = make_mock(accounts=[both])
    body = {"action": "generate", "prompt": "a", "async": True}
    task_id = mock.acedata("/videos", body, token="token").json()["task_id"]
    rivya.refusal(mock.rivya("GET", f"/generations/{task_id}"), "not_found")


# --- what is not shown -------------------------------------------------------------------------


def test_a_client_request_id_is_taken_and_not_shown(mock: Mock) -> None:
    answer = mock.create(client_request_id="shot-0042")
    assert answer.status == 200
    assert b"shot-0042" not in answer.body


def test_a_repeated_client_request_id_does_not_join_requests(mock: Mock) -> None:
    first, second = (mock.create(client_request_id="same").json()["id"] for _ in range(2))
    assert first != second


def test_prompt_and_params_are_never_shown(mock: Mock) -> None:
    body = rivya.with_references(prompt_optimizer="true") | {"prompt": "Zanzibar"}
    created = mock.rivya("POST", "/generations", body)
    mock.advance(1)
    ended = mock.rivya("GET", f"/generations/{created.json()['id']}")
    for answer in (created, ended):
        assert b"Zanzibar" not in answer.body
        assert b"prompt" not in answer.body


def test_internal_names_are_never_shown(make_mock: MakeMock) -> None:
    mock = make_mock(tasks__failure_rate=1)
    created = mock.create()
    mock.advance(1)
    ended = mock.rivya("GET", f"/generations/{created.json()['id']}")
    for word in (b"WAITING", b"GENERATING", b"SUCCESS", b"FAILED", b"rivya-test", KEY.encode()):
        assert word not in created.body + ended.body


# --- the video ---------------------------------------------------------------------------------


def test_the_video_is_served_after_the_task_has_succeeded(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    path = urlsplit(mock.generation(task_id)["result"]["primary_url"]).path
    answer = mock.request("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.body[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("headers", "settings", "start"),
    [
        ({"host": "fake.example:8080"}, {}, "http://fake.example:8080/media/"),
        ({"host": "a"}, {"public_url": "https://mock.example"}, "https://mock.example/media/"),
        ({"host": ""}, {}, "http://127.0.0.1:80/media/"),
    ],
)
def test_a_result_url_begins_with_the_address_that_the_client_used(
    make_mock: MakeMock, headers: dict[str, str], settings: dict[str, str], start: str
) -> None:
    mock = make_mock(**settings)
    task_id = mock.create().json()["id"]
    mock.advance(1)
    answer = mock.rivya("GET", f"/generations/{task_id}", headers=headers)
    assert answer.json()["result"]["primary_url"].startswith(start)


@pytest.mark.parametrize("params", [{"duration": 6.0}, {"duration": 10, "resolution": "768P"}])
def test_what_lenient_params_let_through_leads_to_a_video(
    make_mock: MakeMock, params: dict[str, Any]
) -> None:
    mock = make_mock(rivya__params="lenient")
    task_id = mock.create(model="hailuo-standard", params=params).json()["id"]
    mock.advance(1)
    assert mock.request("GET", f"/media/default/{task_id}.mp4").status == 200


def test_answers_are_compact_json_in_utf_8(mock: Mock) -> None:
    answer = mock.create()
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == json.dumps(answer.json(), separators=(",", ":")).encode()


def test_no_header_allows_other_origins(mock: Mock) -> None:
    answer = mock.rivya("GET", "/models", headers={"origin": "https://shop.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "set-cookie" not in answer.headers
