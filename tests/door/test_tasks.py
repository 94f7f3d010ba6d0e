"""Tasks at the control door: shown whole, but for the secret that came with them."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from mock_server.contract.failures import failures_of
from mock_server.core.lifecycle import FailureReason
from tests import calls
from tests.mock import VIDEO, Mock

WORLD = "/_mock/worlds/default"
JSON = {"content-type": "application/json"}
SECRET = "s3cret-of-mine"
ASKED = VIDEO | {
    "async": True,
    "callback_url": "http://127.0.0.1:9/hook",
    "callback_secret": SECRET,
}


def door(mock: Mock, method: str, path: str, body: bytes = b"") -> Any:
    answer = mock.request(method, WORLD + path, headers=JSON if body else {}, body=body)
    assert answer.status == 200, answer.body
    return answer


@pytest.mark.parametrize("way", ["list", "one", "finish", "wait"])
def test_the_secret_that_came_with_a_task_is_not_shown(mock: Mock, way: str) -> None:
    task_id = mock.acedata("/videos", ASKED).json()["task_id"]
    answer = {
        "list": lambda: door(mock, "GET", "/tasks"),
        "one": lambda: door(mock, "GET", f"/tasks/{task_id}"),
        "finish": lambda: door(mock, "POST", f"/tasks/{task_id}/finish", b'{"state": "failed"}'),
        "wait": lambda: door(mock, "GET", f"/wait?task={task_id}&state=queued&timeout_s=0"),
    }[way]()
    assert SECRET.encode() not in answer.body
    found = answer.json()
    task = found["tasks"][0] if way == "list" else found.get("task", found)
    assert task["request"] == ASKED | {"callback_secret": "[redacted]"}


def test_a_request_without_a_secret_is_shown_as_it_came(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    sent = mock.world.tasks[task_id].order.request
    assert door(mock, "GET", f"/tasks/{task_id}").json()["request"] == json.loads(sent)


def test_deliveries_after_a_restore_are_signed_with_the_secret(mock: Mock) -> None:
    inbox = "http://mock.test/_mock/inbox/default/hook"
    task_id = mock.acedata("/videos", ASKED | {"callback_url": inbox}).json()["task_id"]
    taken = door(mock, "GET", "/snapshot").body
    door(mock, "POST", "/reset")
    door(mock, "PUT", "/snapshot", taken)
    assert door(mock, "GET", "/snapshot").body == taken
    assert SECRET.encode() in mock.world.tasks[task_id].order.request
    calls.advance(mock, 1)
    (delivery,) = mock.world.deliveries
    assert delivery.event.secret == SECRET


@pytest.mark.parametrize(("limit", "seen"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_a_limit_shows_the_newest(mock: Mock, limit: int, seen: int) -> None:
    ids = [mock.create().json()["id"] for _ in range(3)]
    told = door(mock, "GET", f"/tasks?limit={limit}").json()
    assert [task["id"] for task in told["tasks"]] == ids[-seen:]
    assert told["total"] == 3
    assert [task["id"] for task in door(mock, "GET", "/tasks").json()["tasks"]] == ids


@pytest.mark.parametrize("path", ["/tasks", "/deliveries"])
@pytest.mark.parametrize("query", ["limit=0", "limit=many", "limti=3"])
def test_an_invalid_limit_is_refused_at_its_place(mock: Mock, path: str, query: str) -> None:
    answer = mock.request("GET", f"{WORLD}{path}?{query}")
    assert answer.status == 400
    assert answer.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


@pytest.mark.parametrize("reason", get_args(FailureReason))
def test_a_task_is_ended_with_a_reason(mock: Mock, reason: FailureReason) -> None:
    task_id = mock.create().json()["id"]
    body = json.dumps({"state": "failed", "reason": reason}).encode()
    assert door(mock, "GET", f"/tasks/{task_id}").json()["reason"] is None
    assert door(mock, "POST", f"/tasks/{task_id}/finish", body).json()["reason"] == reason
    failure = failures_of("rivya")[reason]
    shown = mock.generation(task_id)["error"]
    assert shown == {"code": failure.code, "message": failure.message}


@pytest.mark.parametrize(
    ("body", "place", "sentence"),
    [
        ({"state": "failed", "reason": "moderatoin"}, "/reason", "did you mean 'moderation'"),
        ({"state": "failed", "reason": ""}, "/reason", "moderation"),
        ({"state": "succeeded", "reason": "timeout"}, "/reason", "is for a task that fails"),
        ({"state": "failed", "resaon": "timeout"}, "/resaon", "did you mean 'reason'"),
    ],
)
def test_a_wrong_reason_is_refused_with_its_place_and_changes_nothing(
    mock: Mock, body: dict[str, str], place: str, sentence: str
) -> None:
    task_id = mock.create().json()["id"]
    path = f"{WORLD}/tasks/{task_id}/finish"
    answer = mock.request("POST", path, headers=JSON, body=json.dumps(body).encode())
    assert answer.status == 400
    (wrong,) = answer.json()["errors"]
    assert wrong["pointer"] == place
    assert sentence in wrong["detail"]
    assert mock.generation(task_id)["status"] == "queued"
