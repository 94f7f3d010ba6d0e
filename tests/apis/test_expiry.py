"""What clients see of tasks, videos and uploads that have expired."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from mock_server.contract.data_paths import FIXTURES
from mock_server.verdict.evidence import Evidence
from tests import acedata, calls, rivya
from tests.asgi import Answer
from tests.mock import PNG, MakeMock, Mock

JSON = {"content-type": "application/json"}
DAY_S = 24 * 3600
LIFE_S = 100
TASK_S = 1
"""The time from the create of a task to its end."""


@pytest.fixture(params=calls.APIS)
def api(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def made(mock: Mock, api: str) -> str:
    return calls.task_id_of(calls.send(mock, calls.create(api)).json())


def read(mock: Mock, api: str, task_id: str) -> Answer:
    return calls.send(mock, calls.read(api, task_id))


def video(mock: Mock, task_id: str, **headers: str) -> Answer:
    return mock.request("GET", f"/media/default/{task_id}.mp4", headers=headers)


def require_unknown(answer: Answer, api: str) -> None:
    if api == "rivya":
        rivya.refusal(answer, "not_found")
    else:
        acedata.refusal(answer, "task_not_found")


def task_at_door(mock: Mock, task_id: str) -> Any:
    return mock.request("GET", f"/_mock/worlds/default/tasks/{task_id}").json()


# --- videos ---------------------------------------------------------------------------------------


def test_a_video_of_ace_data_works_for_thirty_days(mock: Mock) -> None:
    task_id = made(mock, "acedata")
    mock.advance(TASK_S + 30 * DAY_S - 0.001)
    assert video(mock, task_id).status == 200
    mock.advance(0.001)
    assert video(mock, task_id).status == 403
    assert read(mock, "acedata", task_id).json()["response"]["success"] is True
    assert task_at_door(mock, task_id)["media_expires_at"] == "2026-06-10T00:00:01.000Z"


def test_a_result_of_rivya_works_for_ever(mock: Mock) -> None:
    task_id = made(mock, "rivya")
    mock.advance(3650 * DAY_S)
    assert video(mock, task_id).status == 200
    shown = task_at_door(mock, task_id)
    assert (shown["expires_at"], shown["media_expires_at"]) == (None, None)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_expired_url_answers_with_the_status_of_the_setting(
    make_mock: MakeMock, api: str, status: int
) -> None:
    limits = {f"{api}__media_lifetime_s": LIFE_S, f"{api}__media_expired_status": status}
    mock = make_mock(**limits)
    task_id = made(mock, api)
    assert video(mock, task_id).status == 404
    mock.advance(TASK_S)
    whole = video(mock, task_id)
    assert whole.status == 200
    mock.advance(LIFE_S)
    for headers in ({}, {"range": "bytes=0-9"}, {"if-none-match": whole.headers["etag"]}):
        answer = video(mock, task_id, **headers)
        assert answer.status == status
        assert answer.headers["content-type"] == "application/xml"
        assert answer.body.startswith(b"<Error><Code>")
    refused = list(mock.world.journal)[-1].refusal or ""
    assert refused.startswith("MediaExpired: ")


def test_an_expired_url_answers_as_the_scenario_of_the_same_kind(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__media_lifetime_s=LIFE_S)
    task_id = made(mock, "rivya")
    mock.advance(TASK_S + LIFE_S)
    answer = video(mock, task_id)
    for name in ("result_expired", "result_expired_after_first"):
        file = tomllib.loads((FIXTURES / "scenarios" / f"{name}.toml").read_text("utf-8"))
        effect = file["faults"][0]["effect"]
        assert answer.status == effect["status"]
        assert answer.body.decode() == effect["body"]
        assert answer.headers["content-type"].startswith(effect["content_type"])


def test_a_fault_of_a_download_comes_before_its_expiry(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__media_lifetime_s=LIFE_S)
    task_id = made(mock, "rivya")
    mock.advance(TASK_S + LIFE_S)
    calls.add_faults(mock, scenario="result_missing", times=1)
    assert (video(mock, task_id).status, video(mock, task_id).status) == (404, 403)


# --- tasks ----------------------------------------------------------------------------------------


def test_an_expired_task_is_unknown_and_its_video_may_live_longer(
    make_mock: MakeMock, api: str
) -> None:
    lifetimes = {f"{api}__task_lifetime_s": LIFE_S, f"{api}__media_lifetime_s": 3 * LIFE_S}
    mock = make_mock(idempotency__lifetime_s=1, **lifetimes)
    task_id = made(mock, api)
    mock.advance(TASK_S + LIFE_S - 0.001)
    assert read(mock, api, task_id).status == 200
    mock.advance(0.001)
    require_unknown(read(mock, api, task_id), api)
    assert "has expired" in (list(mock.world.journal)[-1].refusal or "")
    assert video(mock, task_id).status == 200
    mock.advance(2 * LIFE_S)
    assert video(mock, task_id).status == 403
    mock.advance(3 * LIFE_S)
    other = made(mock, api)
    assert video(mock, task_id).status == 404
    assert [task.id for task in mock.world.tasks] == [other]
    assert calls.is_balanced(mock.world)


def test_expired_tasks_are_left_out_of_a_batch(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__task_lifetime_s=LIFE_S)
    old = made(mock, "acedata")
    mock.advance(LIFE_S)
    new = made(mock, "acedata")
    mock.advance(TASK_S)
    body = {"action": "retrieve_batch", "ids": [old, new]}
    found = mock.acedata("/tasks", body).json()
    assert (found["count"], [each["id"] for each in found["items"]]) == (1, [new])


def test_a_repeated_create_finds_its_task_as_long_as_its_key_is_remembered(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(rivya__task_lifetime_s=LIFE_S, rivya__media_lifetime_s=LIFE_S)
    asked = calls.create("rivya", headers={"idempotency-key": "k"})
    first = calls.send(mock, asked).json()["id"]
    mock.advance(DAY_S - 1)
    assert calls.send(mock, asked).json()["id"] == first
    mock.advance(1)
    assert calls.send(mock, asked).json()["id"] != first
    assert mock.world.tasks.get(first) is None
    assert calls.is_balanced(mock.world)


def test_a_judgement_without_the_deleted_tasks_is_inconclusive(
    make_mock: MakeMock, api: str
) -> None:
    lifetimes = {f"{api}__task_lifetime_s": LIFE_S, f"{api}__media_lifetime_s": LIFE_S}
    mock = make_mock(idempotency__lifetime_s=1, **lifetimes)

    def evidence() -> Evidence:
        return Evidence.of(mock.world, mock.fake.apis)

    task_id = made(mock, api)
    mock.advance(TASK_S)
    assert (read(mock, api, task_id).status, video(mock, task_id).status) == (200, 200)
    assert (len(evidence().requests), evidence().lost) == (3, 0)
    mock.advance(2 * LIFE_S)
    made(mock, api)
    assert mock.world.tasks.get(task_id) is None
    # The requests became evidence when they ended; what the task itself told is gone.
    assert (len(evidence().requests), evidence().lost) == (4, 1)
    found = mock.request("POST", "/_mock/worlds/default/judgement").json()
    assert found["findings"] == []
    assert found["inconclusive"]


def test_a_stuck_task_does_not_expire(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(**{f"{api}__task_lifetime_s": LIFE_S})
    task_id = calls.task_id_of(calls.send(mock, calls.create(api, "stuck", calls.HEADER)).json())
    mock.advance(100 * LIFE_S)
    assert read(mock, api, task_id).status == 200
    assert task_at_door(mock, task_id)["expires_at"] is None


def test_the_lifetimes_of_one_api_do_not_concern_the_other(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__task_lifetime_s=LIFE_S, acedata__media_lifetime_s=LIFE_S)
    task_id = made(mock, "rivya")
    mock.advance(100 * LIFE_S)
    assert (read(mock, "rivya", task_id).status, video(mock, task_id).status) == (200, 200)


def test_advance_until_idle_does_not_run_to_the_expiry(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(**{f"{api}__task_lifetime_s": LIFE_S})
    made(mock, api)
    answer = mock.request(
        "POST", "/_mock/worlds/default/clock/advance", headers=JSON, body=b'{"until": "idle"}'
    )
    assert answer.json()["now"] == "2026-05-11T00:00:01.000Z"


# --- uploads --------------------------------------------------------------------------------------


def test_an_expired_upload_is_unknown_and_its_bytes_go(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__file_lifetime_s=LIFE_S, rivya__references="own")
    stored = mock.upload().json()
    path = "/media" + stored["url"].partition("/media")[2]
    params = {"referenceMediaItems": [{"url": stored["url"], "kind": "image"}]}
    mock.advance(LIFE_S - 0.001)
    assert mock.rivya("GET", f"/files/{stored['id']}").status == 200
    assert mock.request("GET", path).status == 200
    assert mock.create(params=params).status == 200
    mock.advance(0.001)
    rivya.refusal(mock.rivya("GET", f"/files/{stored['id']}"), "not_found")
    assert mock.request("GET", path).status == 403
    assert mock.create(params=params).status == 400
    (digest,) = {file.content for file in mock.world.uploads}
    bytes_of = mock.fake.blobs.path(digest)
    assert bytes_of.exists()
    mock.advance(LIFE_S)
    other = mock.upload(PNG + b"x").json()
    assert not bytes_of.exists()
    assert [file.id for file in mock.world.uploads] == [other["id"]]
    assert other["id"] != stored["id"]
    assert mock.request("GET", path).status == 404


def test_a_full_world_has_room_again_when_its_uploads_are_gone(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__file_lifetime_s=LIFE_S, limits__stored_uploads=1)
    assert [mock.upload(PNG + bytes([each])).status for each in range(2)] == [200, 400]
    mock.advance(2 * LIFE_S)
    assert mock.upload().status == 200


# --- snapshots ------------------------------------------------------------------------------------


def test_a_snapshot_keeps_lifetimes_and_what_was_forgotten(make_mock: MakeMock, api: str) -> None:
    lifetimes = {f"{api}__task_lifetime_s": LIFE_S, f"{api}__media_lifetime_s": LIFE_S}
    mock = make_mock(idempotency__lifetime_s=1, **lifetimes)
    made(mock, api)
    mock.advance(TASK_S + 2 * LIFE_S)
    task_id = made(mock, api)
    mock.advance(TASK_S)
    path = "/_mock/worlds/default/snapshot"
    document = mock.request("GET", path).body
    assert json.loads(document)["forgotten"]["tasks"] == 1
    other = make_mock()
    assert other.request("PUT", path, headers=JSON, body=document).status == 200
    assert other.request("GET", path).body == document
    assert video(other, task_id).status == 200
    other.advance(LIFE_S)
    assert video(other, task_id).status == 403
    require_unknown(read(other, api, task_id), api)
    wrong = json.loads(document)
    wrong["forgotten"]["spent_credits"] = {}
    refused = other.request("PUT", path, headers=JSON, body=json.dumps(wrong).encode())
    place = f"/ledger/accounts/{calls.APIS.index(api)}/balance/spent_credits"
    calls.require_refused(refused, place, "forgotten ones too")
    wrong["forgotten"]["spent_credits"] = {"nobody": 1}
    refused = other.request("PUT", path, headers=JSON, body=json.dumps(wrong).encode())
    calls.require_refused(refused, "/forgotten/spent_credits", "nobody")
