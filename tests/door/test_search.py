"""The search over all that a world keeps."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from tests.mock import KEY, MINIMAL, VIDEO, Mock
from tests.rich_world import door

WORLD = "/_mock/worlds/default"


def search(mock: Mock, **query: Any) -> Any:
    answer = mock.request("GET", f"{WORLD}/search?{urlencode(query)}")
    assert answer.status == 200, answer.body
    return answer.json()


def ids(found: Any, kind: str) -> list[str]:
    return [each["id"] for each in found[kind]]


def test_a_task_is_found_by_anything_that_belongs_to_it(mock: Mock) -> None:
    headers = {"idempotency-key": "order-2041", "x-trace": "Trace-77"}
    body = MINIMAL | {"prompt": "A blue Whale größer"}
    made = mock.rivya("POST", "/generations", body, headers=headers)
    task_id, request_id = made.json()["id"], made.headers["mock-request"]
    mock.create(prompt="a red fox")
    for words in (task_id, request_id, "order-2041", "trace-77", "whale blue", "GRÖß", "größer"):
        assert ids(search(mock, q=words, kind="tasks"), "tasks") == [task_id], words


def test_requests_are_found_by_their_code_and_deliveries_by_their_task(mock: Mock) -> None:
    mock.rivya("POST", "/generations", MINIMAL, key=f"{KEY}+insufficient_credits")
    for words in ("insufficient_credits 402", "402"):
        (request,) = search(mock, q=words)["requests"]
        assert request["status"] == 402
    hook = VIDEO | {"callback_url": "http://127.0.0.1:9/hook"}
    task_id = mock.acedata("/videos", hook).json()["task_id"]
    door(mock, "POST", "/clock/advance", {"seconds": 3600})
    (delivery,) = search(mock, q=task_id, kind="deliveries")["deliveries"]
    assert delivery["event"]["subject"] == task_id


@pytest.mark.parametrize("kind", ["requests", "tasks"])
def test_pages_lead_to_the_end_without_a_gap(mock: Mock, kind: str) -> None:
    for number in range(7):
        mock.create(prompt=f"number {number}")
    every = ids(search(mock, kind=kind), kind)
    seen: list[str] = []
    query: dict[str, Any] = {"kind": kind, "limit": 3}
    for _ in range(3):
        page = search(mock, **query)
        seen = ids(page, kind) + seen
        query["before"] = seen[0]
        assert page["more"] == ([] if len(seen) == 7 else [kind])
    assert seen == every


def test_failed_charged_api_and_scenario_select(mock: Mock) -> None:
    good, bad = mock.create().json()["id"], mock.create(prompt="x").json()["id"]
    door(mock, "POST", f"/tasks/{bad}/finish", {"state": "failed"})
    other = mock.acedata("/videos", VIDEO | {"async": True}).json()["task_id"]
    mock.rivya("POST", "/generations", MINIMAL, key=f"{KEY}+insufficient_credits")
    assert ids(search(mock, failed="true"), "tasks") == [bad]
    assert [each["status"] for each in search(mock, failed="true")["requests"]] == [402]
    assert ids(search(mock, charged="true"), "tasks") == [good, other]
    assert ids(search(mock, api="acedata"), "tasks") == [other]
    assert len(search(mock, scenario="any")["requests"]) == 1
    assert len(search(mock, scenario="insufficient_credits")["requests"]) == 1
    assert search(mock, scenario="stuck")["requests"] == []


def test_a_secret_is_not_found(mock: Mock) -> None:
    secret = "rvya_sk_" + "q" * 24
    mock.create(prompt=f"my key is {secret}")
    assert search(mock, q="key")["tasks"] != []
    for part in (secret, "q" * 24, KEY):
        found = search(mock, q=part)
        assert (found["tasks"], found["requests"]) == ([], []), part


def test_ten_thousand_tasks_are_searched_in_a_tenth_of_a_second(mock: Mock) -> None:
    first = mock.create(prompt="a needle").json()["id"]
    task = mock.world.tasks[first]
    for number in range(10_000):
        mock.world.tasks.add(renamed(task, number))
    durations = []  # in CPU time: what else runs on the machine does not count
    for _ in range(3):
        began = time.process_time()
        assert ids(search(mock, q=f"task_{7:024d}", kind="tasks"), "tasks") == [f"task_{7:024d}"]
        durations.append(time.process_time() - began)
    assert min(durations) <= 0.1


def renamed(task: Any, number: int) -> Any:
    return replace(task, id=f"task_{number:024d}")


@pytest.mark.parametrize(
    "query", ["kind=x", "limit=0", "limit=1001", "failed=yes", "p=1", f"q={'x' * 1001}"]
)
def test_a_wrong_query_is_refused(mock: Mock, query: str) -> None:
    assert mock.request("GET", f"{WORLD}/search?{query}").status == 400
