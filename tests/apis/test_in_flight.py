"""The limit of tasks that have not ended, at both APIs and through the control door."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from mock_server.config.sources import SettingsError
from tests import acedata, calls, rivya
from tests.asgi import Answer
from tests.mock import MakeMock, Mock

CODES = {"rivya": "rate_limited", "acedata": "too_many_requests"}
JSON = {"content-type": "application/json"}


@pytest.fixture(params=calls.APIS)
def api(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def create(mock: Mock, api: str, **fields: Any) -> Answer:
    return calls.send(mock, calls.create(api, **fields))


def require_too_many(answer: Answer, api: str) -> None:
    """A refusal of the API's, with 429 and without Retry-After."""
    (rivya if api == "rivya" else acedata).refusal(answer, CODES[api])
    assert answer.status == 429
    assert "retry-after" not in answer.headers
    assert b"have not ended" in answer.body


def change(mock: Mock, api: str, **fields: Any) -> Any:
    path = f"/_mock/worlds/default/accounts/{calls.ACCOUNTS[api]}"
    answer = mock.request("PATCH", path, headers=JSON, body=json.dumps(fields).encode())
    return answer.json()


def own_key(api: str, **limits: Any) -> dict[str, Any]:
    return {"key": calls.KEYS[api], "api": api} | limits


def test_one_more_than_the_setting_is_refused_until_a_task_has_ended(
    make_mock: MakeMock, api: str
) -> None:
    mock = make_mock(**{f"{api}__in_flight": 2})
    assert [create(mock, api).status for _ in range(2)] == [200, 200]
    before = replace(mock.world.ledger.balance(calls.ACCOUNTS[api]))
    require_too_many(create(mock, api), api)
    assert mock.world.ledger.balance(calls.ACCOUNTS[api]) == before
    assert len(mock.world.tasks) == 2
    mock.advance(1)
    assert create(mock, api).status == 200


def test_any_number_may_run_unless_there_is_a_limit(mock: Mock, api: str) -> None:
    assert [create(mock, api).status for _ in range(20)] == [200] * 20
    assert not mock.world.in_flight.is_counting


def test_the_limit_of_one_api_does_not_concern_the_other(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__in_flight=1)
    assert [create(mock, "acedata").status for _ in range(3)] == [200] * 3


def test_a_key_may_have_its_own_limit(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(**{f"{api}__in_flight": 1})
    change(mock, api, keys=[own_key(api, in_flight=2)])
    assert [create(mock, api).status for _ in range(3)] == [200, 200, 429]
    change(mock, api, keys=[own_key(api, in_flight=0)])
    assert create(mock, api).status == 200
    shown = change(mock, api, keys=[own_key(api)])
    assert shown["keys"][0]["in_flight"] is None
    require_too_many(create(mock, api), api)


def test_the_limit_of_an_account_counts_the_tasks_of_all_its_keys(make_mock: MakeMock) -> None:
    keys = [own_key("rivya"), own_key("acedata")]
    mock = make_mock(accounts=[{"name": "a", "credits": 999, "keys": keys, "in_flight": 2}])
    assert [create(mock, api).status for api in calls.APIS] == [200, 200]
    for api in calls.APIS:
        answer = create(mock, api)
        require_too_many(answer, api)
        assert b"of this account" in answer.body


def test_the_door_sets_and_removes_the_limit_of_an_account(mock: Mock, api: str) -> None:
    assert change(mock, api)["in_flight"] is None
    assert change(mock, api, in_flight=1)["in_flight"] == 1
    assert [create(mock, api).status for _ in range(2)] == [200, 429]
    assert change(mock, api, credits=500)["in_flight"] == 1
    assert change(mock, api, in_flight=0)["in_flight"] is None
    assert create(mock, api).status == 200
    calls.require_refused(
        mock.request(
            "PATCH",
            f"/_mock/worlds/default/accounts/{calls.ACCOUNTS[api]}",
            headers=JSON,
            body=b'{"in_flight": -1}',
        ),
        "/in_flight",
        "",
    )


def test_the_body_is_checked_before_and_the_credits_after(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(**{f"{api}__in_flight": 1})
    create(mock, api)
    assert create(mock, api, model="none").status == 400
    change(mock, api, credits=0)
    require_too_many(create(mock, api), api)
    mock.advance(1)
    assert create(mock, api).status in {402, 403}


def test_a_replay_is_answered_at_the_limit(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__in_flight=1)
    headers = {"idempotency-key": "k"}
    first = create(mock, "rivya", headers=headers)
    assert create(mock, "rivya", headers=headers).json() == first.json()
    refused = create(mock, "rivya", headers={"idempotency-key": "other"})
    require_too_many(refused, "rivya")
    mock.advance(1)
    again = create(mock, "rivya", headers={"idempotency-key": "other"})
    assert again.json()["id"] != first.json()["id"]


def test_a_held_create_counts_until_its_video_is_finished(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__in_flight=1)
    fields: dict[str, Any] = {"async": False}
    asked = calls.create("acedata", **fields)
    held = mock.start(_exchange(mock, asked))
    mock.driver.loop.run_until_complete(_turns())
    assert not held.done()
    require_too_many(create(mock, "acedata"), "acedata")
    mock.advance(1)
    assert create(mock, "acedata").status == 200


async def _exchange(mock: Mock, asked: calls.Request) -> None:
    await mock.driver.exchange(asked.method, asked.path, headers=asked.headers, chunks=[asked.body])


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_stuck_task_counts_until_it_is_finished_by_hand(make_mock: MakeMock, api: str) -> None:
    mock = make_mock(**{f"{api}__in_flight": 1})
    task_id = calls.task_id_of(calls.send(mock, calls.create(api, "stuck", calls.HEADER)).json())
    mock.advance(3600)
    require_too_many(create(mock, api), api)
    path = f"/_mock/worlds/default/tasks/{task_id}/finish"
    assert mock.request("POST", path, headers=JSON, body=b'{"state": "failed"}').status == 200
    assert create(mock, api).status == 200


def test_a_snapshot_keeps_the_limits(mock: Mock, api: str) -> None:
    change(mock, api, in_flight=1)
    create(mock, api)
    path = "/_mock/worlds/default/snapshot"
    document = mock.request("GET", path).body
    change(mock, api, in_flight=0)
    assert mock.request("PUT", path, headers=JSON, body=document).status == 200
    require_too_many(create(mock, api), api)
    wrong = json.loads(document) | {"in_flight": {"nobody": 1}}
    refused = mock.request("PUT", path, headers=JSON, body=json.dumps(wrong).encode())
    calls.require_refused(refused, "/in_flight", "nobody")


def test_a_world_is_made_with_a_limit_and_has_it_after_a_reset(mock: Mock, api: str) -> None:
    plan = {"name": "w", "in_flight": 1}
    made = mock.request("POST", "/_mock/worlds", headers=JSON, body=json.dumps(plan).encode())
    key = next(each["key"] for each in made.json()["keys"] if each["api"] == api)
    headers = {"authorization": f"Bearer {key}"}
    for _ in range(2):
        assert [create(mock, api, headers=headers).status for _ in range(2)] == [200, 429]
        assert mock.request("POST", "/_mock/worlds/w/reset").status == 200


@pytest.mark.parametrize("wrong", [-1, "x"])
def test_a_limit_that_is_no_number_is_refused(make_mock: MakeMock, api: str, wrong: Any) -> None:
    with pytest.raises(SettingsError, match=f"{api}.in_flight"):
        make_mock(**{f"{api}__in_flight": wrong})
