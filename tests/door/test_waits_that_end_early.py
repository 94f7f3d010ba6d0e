"""Waits for what does not happen: refused if it is impossible, else ended with what came."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import calls
from tests.asgi import Answer
from tests.mock import KEY, TOKEN, VIDEO, Mock

WORLD = "/_mock/worlds/default"
JSON = {"content-type": "application/json"}
NOWHERE = "https://elsewhere.example/hook"
"""A receiver that is never called: its host is not in callback_hosts."""


def waiting_for(mock: Mock, query: str) -> calls.OpenRequest:
    return calls.OpenRequest(mock, calls.Request("GET", f"{WORLD}/wait?timeout_s=60&{query}", {}))


def at_once(mock: Mock, query: str) -> Answer:
    return mock.request("GET", f"{WORLD}/wait?timeout_s=0&{query}")


def instead(mock: Mock, query: str) -> str:
    """What a wait with no time says came instead."""
    answer = at_once(mock, query)
    assert (answer.status, answer.headers["content-type"]) == (408, "application/problem+json")
    assert answer.json()["title"] == "nothing of the kind within 0 s"
    detail: str = answer.json()["detail"]
    return detail


def refused(answer: Answer) -> str:
    """The reason why a wait is refused."""
    assert (answer.status, answer.headers["content-type"]) == (409, "application/problem+json")
    title: str = answer.json()["title"]
    return title


def made(mock: Mock) -> str:
    task_id: str = mock.create().json()["id"]
    return task_id


def video(mock: Mock, **fields: Any) -> str:
    task_id: str = mock.acedata("/videos", VIDEO | {"async": True} | fields).json()["task_id"]
    return task_id


def finish(mock: Mock, task_id: str, state: str) -> None:
    body = json.dumps({"state": state}).encode()
    mock.request("POST", f"{WORLD}/tasks/{task_id}/finish", headers=JSON, body=body)


# --- it can happen no more -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0.2, "queued"), (1, "queued"), (1, "processing"), (1, "failed")],
)
def test_a_wait_for_an_earlier_state_is_refused_at_once(
    mock: Mock, seconds: float, state: str
) -> None:
    task_id = made(mock)
    calls.advance(mock, seconds)
    is_now = mock.generation(task_id)["status"]
    waiting = waiting_for(mock, f"task={task_id}&state={state}")
    said = refused(waiting.answer())
    assert said.startswith("the task is ")
    assert is_now in said
    assert state in said


@pytest.mark.parametrize(("wanted", "end"), [("succeeded", "failed"), ("failed", "succeeded")])
def test_a_wait_for_success_is_refused_after_a_failure_and_the_reverse(
    mock: Mock, wanted: str, end: str
) -> None:
    task_id = made(mock)
    waiting = waiting_for(mock, f"task={task_id}&state={wanted}")
    calls.advance(mock, 0.5)
    assert waiting.is_open
    finish(mock, task_id, end)
    said = f"the task is {end}: it will not be {wanted} any more"
    assert refused(waiting.answer()) == said
    assert refused(at_once(mock, f"task={task_id}&state={wanted}")) == said


def test_a_wait_for_processing_is_refused_if_the_task_failed_in_the_queue(mock: Mock) -> None:
    task_id = made(mock)
    waiting = waiting_for(mock, f"task={task_id}&state=processing")
    calls.advance(mock, 0.1)
    finish(mock, task_id, "failed")
    assert "will not be processing" in refused(waiting.answer())


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "ended", "attempted"])
@pytest.mark.parametrize("query", ["task={task}", "delivery_id={delivery}"])
def test_a_wait_for_the_success_of_a_failed_delivery_is_refused(
    make_mock: Callable[..., Mock], outcome: str, query: str
) -> None:
    mock = make_mock(acedata__callback_waits_s=[60])
    task_id = video(mock, callback_url=NOWHERE)
    calls.advance(mock, 1)
    (delivery,) = mock.world.deliveries
    query = query.format(task=task_id, delivery=delivery.id) + f"&delivery={outcome}"
    waiting = waiting_for(mock, query)
    assert waiting.is_open == (outcome != "attempted")
    calls.advance(mock, 60)
    for answer in (waiting.answer(), at_once(mock, query)):
        if outcome != "succeeded":
            assert answer.json()["delivery"]["id"] == delivery.id
            continue
        said = refused(answer)
        assert f"{delivery.id} is failed after 2 attempts (not sent: the host is not in" in said
        assert said.endswith(("none will be 'succeeded'", "it will not be 'succeeded'"))


def test_a_wait_for_a_delivery_without_attempts_is_refused_with_the_reason(mock: Mock) -> None:
    hook = {"name": "a", "url": NOWHERE, "event_types": ["generation.succeeded"]}
    endpoint_id = mock.rivya("POST", "/webhooks", hook).json()["id"]
    calls.add_faults(mock, effect={"type": "delivery", "late_s": 60})
    task_id = made(mock)
    calls.advance(mock, 1)
    (delivery,) = mock.world.deliveries
    mock.rivya("DELETE", f"/webhooks/{endpoint_id}")
    waiting = [
        waiting_for(mock, f"delivery_id={delivery.id}"),
        waiting_for(mock, f"task={task_id}&delivery=attempted"),
    ]
    calls.advance(mock, 60)
    why = f"{delivery.id} is failed after no attempts (not sent: the endpoint is revoked)"
    assert [refused(each.answer()).startswith(why) for each in waiting] == [True, True]
    assert at_once(mock, f"task={task_id}&delivery=failed").status == 200


def test_a_wait_continues_while_one_delivery_may_succeed(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[])
    calls.add_faults(mock, effect={"type": "delivery", "copies": 2, "apart_s": 60})
    task_id = video(mock, callback_url=NOWHERE)
    calls.advance(mock, 1)
    waiting = waiting_for(mock, f"task={task_id}&delivery=succeeded")
    assert waiting.is_open
    calls.advance(mock, 60)
    said = refused(waiting.answer())
    assert all(delivery.id in said for delivery in mock.world.deliveries)


def test_a_wait_for_a_delivery_is_refused_after_the_end_of_a_task_without_one(mock: Mock) -> None:
    waiting = waiting_for(mock, f"task={video(mock)}&delivery=attempted")
    assert waiting.is_open
    calls.advance(mock, 1)
    assert refused(waiting.answer()) == "the task has ended, and it has no receiver"


def test_a_wait_for_any_delivery_is_never_refused(mock: Mock) -> None:
    video(mock, callback_url=NOWHERE)
    calls.advance(mock, 3600)
    waiting = waiting_for(mock, "delivery=succeeded")
    assert waiting.is_open


def test_a_refused_wait_mentions_evicted_deliveries(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(deliveries__kept=1, acedata__callback_waits_s=[])
    first, second = (video(mock, callback_url=NOWHERE) for _ in range(2))
    calls.advance(mock, 1)
    (kept,) = mock.world.deliveries
    forgotten = first if kept.event.subject == second else second
    assert "no delivery of the task is known; older ones are no longer kept: 1" in instead(
        mock, f"task={forgotten}&delivery=attempted"
    )


# --- what came instead ---------------------------------------------------------------------------


def test_a_timeout_names_the_nearest_request(mock: Mock) -> None:
    assert instead(mock, "status=200") == "no requests came"
    assert mock.create(model="nobody's").status == 400
    query = "operation=create&status=200"
    assert instead(mock, query) == (
        "1 request came, the nearest: POST /api/v1/generations 400 (status is 400, not 200)"
    )
    mock.rivya("GET", "/credits")
    asked = mock.rivya("GET", "/credits").headers["mock-request"]
    assert instead(mock, query).startswith("3 requests came, the nearest: POST ")
    near = at_once(mock, query).json()["near_misses"]
    assert [len(each["differences"]) for each in near] == [1, 1, 1]
    assert instead(mock, f"after={asked}&status=402") == "no requests came"


def test_a_timeout_names_requests_that_came_during_the_wait(mock: Mock) -> None:
    waiting = calls.OpenRequest(
        mock, calls.Request("GET", f"{WORLD}/wait?status=402&timeout_s=0.05", {})
    )
    mock.rivya("GET", "/credits")
    while waiting.is_open:
        waiting.wait_for_threads()
    detail = waiting.answer().json()["detail"]
    assert detail == "1 request came, the nearest: GET /api/v1/credits 200 (status is 200, not 402)"


def test_a_timeout_names_a_running_request(mock: Mock) -> None:
    held = calls.OpenRequest(mock, calls.Request("POST", "/hailuo/videos", *_video()))
    assert instead(mock, "path=/hailuo/*") == (
        "1 request came, of the kind, but not ended yet: POST /hailuo/videos"
    )
    assert instead(mock, "path=/hailuo/*&status=200").endswith(
        "POST /hailuo/videos under way (status is None, not 200)"
    )
    held.hang_up()
    assert "POST /hailuo/videos no answer (" in instead(mock, "path=/hailuo/*&status=200")


def _video() -> tuple[dict[str, str], bytes]:
    return JSON | {"authorization": f"Bearer {TOKEN}"}, json.dumps(VIDEO).encode()


def test_a_near_miss_shows_no_credential(mock: Mock) -> None:
    mock.rivya("GET", f"/credits/{KEY}")
    answer = at_once(mock, "status=200&path=/x")
    assert answer.json()["near_misses"]
    assert KEY.encode() not in answer.body


def test_a_timeout_says_when_the_task_will_end(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock()
    task_id = made(mock)
    assert instead(mock, f"task={task_id}&state=failed") == (
        "the task is queued, due to succeed in 1 s of the world's clock, "
        "at 2026-05-11T00:00:01.000Z; the clock is frozen: advance it"
    )
    calls.advance(mock, 0.5)
    calls.add_faults(mock, scenario="stuck")
    stuck = made(mock)
    said = instead(mock, f"task={task_id}&state=ended")
    assert said.startswith("the task is processing, due to succeed in 0.5 s")
    assert instead(mock, f"task={stuck}&state=ended").endswith("and never ends by itself")


def test_a_timeout_on_a_running_clock_suggests_no_advance(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(clock__mode="real", tasks__processing_s=3600, tasks__failure_rate=1)
    said = instead(mock, f"task={made(mock)}&state=ended")
    assert said.startswith("the task is queued, due to fail in 36")
    assert "advance" not in said


def test_a_timeout_says_how_the_delivery_stands(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[60])
    assert instead(mock, "delivery=succeeded") == "no delivery is known"
    task_id = video(mock, callback_url=NOWHERE)
    of_task = f"task={task_id}&delivery=succeeded"
    said = instead(mock, of_task)
    assert said.startswith("no delivery of the task is known; the task is queued, due to")
    calls.advance(mock, 1)
    (delivery,) = mock.world.deliveries
    stands = (
        f"{delivery.id} is pending after 1 attempt (not sent: the host is not in callback_hosts), "
        "the next is due in 60 s of the world's clock, at 2026-05-11T00:01:01.000Z; "
        "the clock is frozen: advance it"
    )
    for query in ("delivery=succeeded", of_task, f"delivery_id={delivery.id}&delivery=succeeded"):
        assert instead(mock, query) == stands
    nobody = instead(mock, "task=task_x&delivery=succeeded")
    assert nobody == "no delivery of the task is known; this world has no task with that id"


def test_a_timeout_names_the_latest_of_many_deliveries(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[])
    for _ in range(5):
        video(mock, callback_url=NOWHERE)
    calls.advance(mock, 1)
    said = instead(mock, "delivery=succeeded")
    assert said.startswith("5 deliveries, the latest of them; ")
    assert [each.id in said for each in mock.world.deliveries] == [False, False, True, True, True]


def test_a_wait_for_a_delivery_of_another_task_is_refused_at_its_place(mock: Mock) -> None:
    task_id, other = video(mock, callback_url=NOWHERE), video(mock)
    calls.advance(mock, 1)
    (delivery,) = mock.world.deliveries
    answer = at_once(mock, f"delivery_id={delivery.id}&task={other}")
    (wrong,) = answer.json()["errors"]
    assert (answer.status, wrong["pointer"]) == (400, "/delivery_id")
    assert task_id in wrong["detail"]
    assert at_once(mock, f"delivery_id={delivery.id}&task={task_id}").status == 200
