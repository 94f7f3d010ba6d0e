"""What comes next in a world."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mock import VIDEO, Mock
from tests.rich_world import door

WORLD = "/_mock/worlds/default"


def due(mock: Mock, query: str = "") -> list[dict[str, Any]]:
    answer = mock.request("GET", f"{WORLD}/due{query}")
    assert answer.status == 200, answer.body
    entries: list[dict[str, Any]] = answer.json()["due"]
    return entries


def test_states_and_attempts_come_in_order(mock: Mock) -> None:
    first = mock.create().json()["id"]
    hook = VIDEO | {"callback_url": "http://127.0.0.1:9/hook"}
    second = mock.acedata("/videos", hook).json()["task_id"]
    entries = due(mock)
    assert [each["at"] for each in entries] == sorted(each["at"] for each in entries)
    assert [each["state"] for each in due(mock, f"?task={first}")] == ["processing", "succeeded"]
    door(mock, "POST", f"/tasks/{first}/finish", {"state": "failed"})
    assert due(mock, f"?task={first}") == []
    door(mock, "POST", f"/tasks/{second}/finish", {"state": "succeeded"})
    attempts = due(mock, f"?task={second}")
    assert [each["attempt"] for each in attempts] in ([], [1])  # it may be under way already
    assert due(mock, "?limit=1") == due(mock)[:1]


def test_what_is_due_happens_at_its_time(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    (taken_up, ends) = due(mock)
    door(mock, "PATCH", "/clock", {"now": taken_up["at"]})
    assert mock.generation(task_id)["status"] == "processing"
    assert due(mock) == [ends]
    door(mock, "PATCH", "/clock", {"now": ends["at"]})
    assert due(mock) == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "world=x"])
def test_a_wrong_query_is_refused(mock: Mock, query: str) -> None:
    assert mock.request("GET", f"{WORLD}/due?{query}").status == 400
