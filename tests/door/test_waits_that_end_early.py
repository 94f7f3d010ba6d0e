"""Waiting for what does not happen: refused at once if it no longer can, else told what came."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.asgi import Answer
from tests.asking import Asked, Waiting, advance, stand
from tests.mock import KEY, TOKEN, VIDEO, Mock

WORLD = "/_mock/worlds/default"
JSON = {"content-type": "application/json"}
NOWHERE = "https://elsewhere.example/hook"
"""A receiver that is never called: its host is not in callback_hosts."""


def waiting_for(mock: Mock, query: str) -> Waiting:
    return Waiting(mock, Asked("GET", f"{WORLD}/wait?timeout_s=60&{query}", {}))


def at_once(mock: Mock, query: str) -> Answer:
    return mock.request("GET", f"{WORLD}/wait?timeout_s=0&{query}")


def instead(mock: Mock, query: str) -> str:
    """What a wait without patience says was there instead."""
    answer = at_once(mock, query)
    assert (answer.status, answer.headers["content-type"]) == (408, "application/problem+json")
    assert answer.json()["title"] == "nothing of the kind within 0 s"
    detail: str = answer.json()["detail"]
    return detail


def refused(answer: Answer) -> str:
    """Why it can happen no more."""
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
def test_a_state_that_a_task_is_past_is_refused_at_once(
    mock: Mock, seconds: float, state: str
) -> None:
    task_id = made(mock)
    advance(mock, seconds)
    is_now = mock.generation(task_id)["status"]
    waiting = waiting_for(mock, f"task={task_id}&state={state}")
    said = refused(waiting.answer())
    assert said.startswith("the task is ")
    assert is_now in said
    assert state in said


@pytest.mark.parametrize(("wanted", "end"), [("succeeded", "failed"), ("failed", "succeeded")])
def test_who_waits_for_one_end_is_refused_when_it_is_the_other(
    mock: Mock, wanted: str, end: str
) -> None:
    task_id = made(mock)
    waiting = waiting_for(mock, f"task={task_id}&state={wanted}")
    advance(mock, 0.5)
    assert waiting.waits
    finish(mock, task_id, end)
    said = f"the task is {end}: it will not be {wanted} any more"
    assert refused(waiting.answer()) == said
    assert refused(at_once(mock, f"task={task_id}&state={wanted}")) == said


def test_a_task_that_failed_in_the_queue_was_never_at_work(mock: Mock) -> None:
    task_id = made(mock)
    waiting = waiting_for(mock, f"task={task_id}&state=processing")
    advance(mock, 0.1)
    finish(mock, task_id, "failed")
    assert "will not be processing" in refused(waiting.answer())


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "ended", "attempted"])
@pytest.mark.parametrize("query", ["task={task}", "delivery_id={delivery}"])
def test_a_delivery_that_was_given_up_will_not_have_succeeded(
    make_mock: Callable[..., Mock], outcome: str, query: str
) -> None:
    mock = make_mock(acedata__callback_waits_s=[60])
    task_id = video(mock, callback_url=NOWHERE)
    advance(mock, 1)
    (delivery,) = mock.world.deliveries
    query = query.format(task=task_id, delivery=delivery.id) + f"&delivery={outcome}"
    waiting = waiting_for(mock, query)
    assert waiting.waits == (outcome != "attempted")
    advance(mock, 60)
    for answer in (waiting.answer(), at_once(mock, query)):
        if outcome != "succeeded":
            assert answer.json()["delivery"]["id"] == delivery.id
            continue
        said = refused(answer)
        assert f"{delivery.id} is failed after 2 attempts (not sent: the host is not in" in said
        assert said.endswith(("none will be 'succeeded'", "it will not be 'succeeded'"))


def test_a_delivery_that_was_never_attempted_says_why(mock: Mock) -> None:
    hook = {"name": "a", "url": NOWHERE, "event_types": ["generation.succeeded"]}
    endpoint_id = mock.rivya("POST", "/webhooks", hook).json()["id"]
    stand(mock, effect={"type": "delivery", "late_s": 60})
    task_id = made(mock)
    advance(mock, 1)
    (delivery,) = mock.world.deliveries
    mock.rivya("DELETE", f"/webhooks/{endpoint_id}")
    waiting = [
        waiting_for(mock, f"delivery_id={delivery.id}"),
        waiting_for(mock, f"task={task_id}&delivery=attempted"),
    ]
    advance(mock, 60)
    why = f"{delivery.id} is failed after no attempts (not sent: the endpoint is revoked)"
    assert [refused(each.answer()).startswith(why) for each in waiting] == [True, True]
    assert at_once(mock, f"task={task_id}&delivery=failed").status == 200


def test_one_of_several_deliveries_may_still_succeed(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[])
    stand(mock, effect={"type": "delivery", "copies": 2, "apart_s": 60})
    task_id = video(mock, callback_url=NOWHERE)
    advance(mock, 1)
    waiting = waiting_for(mock, f"task={task_id}&delivery=succeeded")
    assert waiting.waits
    advance(mock, 60)
    said = refused(waiting.answer())
    assert all(delivery.id in said for delivery in mock.world.deliveries)


def test_a_task_of_which_nobody_is_told_has_no_delivery_once_it_has_ended(mock: Mock) -> None:
    waiting = waiting_for(mock, f"task={video(mock)}&delivery=attempted")
    assert waiting.waits
    advance(mock, 1)
    assert refused(waiting.answer()) == "the task has ended, and nobody was to be told of it"


def test_any_delivery_may_always_come(mock: Mock) -> None:
    video(mock, callback_url=NOWHERE)
    advance(mock, 3600)
    waiting = waiting_for(mock, "delivery=succeeded")
    assert waiting.waits
    waiting.drop()


def test_what_was_forgotten_may_have_been_what_is_waited_for(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(deliveries__kept=1, acedata__callback_waits_s=[])
    first, second = (video(mock, callback_url=NOWHERE) for _ in range(2))
    advance(mock, 1)
    (kept,) = mock.world.deliveries
    forgotten = first if kept.event.subject == second else second
    assert "no delivery of the task is known; older ones had to go: 1" in instead(
        mock, f"task={forgotten}&delivery=attempted"
    )


# --- what came instead ---------------------------------------------------------------------------


def test_who_waits_for_a_request_is_told_which_came_nearest(mock: Mock) -> None:
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


def test_what_comes_during_a_wait_is_told_at_its_end(mock: Mock) -> None:
    waiting = Waiting(mock, Asked("GET", f"{WORLD}/wait?status=402&timeout_s=0.05", {}))
    mock.rivya("GET", "/credits")
    while waiting.waits:
        waiting.linger()
    detail = waiting.answer().json()["detail"]
    assert detail == "1 request came, the nearest: GET /api/v1/credits 200 (status is 200, not 402)"


def test_a_request_that_is_still_under_way_is_told_so(mock: Mock) -> None:
    held = Waiting(mock, Asked("POST", "/hailuo/videos", *_video()))
    assert instead(mock, "path=/hailuo/*") == (
        "1 request came, of the kind, but not ended yet: POST /hailuo/videos"
    )
    assert instead(mock, "path=/hailuo/*&status=200").endswith(
        "POST /hailuo/videos under way (status is None, not 200)"
    )
    held.drop()
    assert "POST /hailuo/videos no answer (" in instead(mock, "path=/hailuo/*&status=200")


def _video() -> tuple[dict[str, str], bytes]:
    return JSON | {"authorization": f"Bearer {TOKEN}"}, json.dumps(VIDEO).encode()


def test_no_credential_is_told_of_what_came_near(mock: Mock) -> None:
    mock.rivya("GET", f"/credits/{KEY}")
    answer = at_once(mock, "status=200&path=/x")
    assert answer.json()["near_misses"]
    assert KEY.encode() not in answer.body


def test_who_waits_for_a_task_is_told_when_it_will_end(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock()
    task_id = made(mock)
    assert instead(mock, f"task={task_id}&state=failed") == (
        "the task is queued, due to succeed in 1 s of the world's clock, "
        "at 2026-05-11T00:00:01.000Z; the clock is frozen: advance it"
    )
    advance(mock, 0.5)
    stand(mock, scenario="stuck")
    stuck = made(mock)
    said = instead(mock, f"task={task_id}&state=ended")
    assert said.startswith("the task is processing, due to succeed in 0.5 s")
    assert instead(mock, f"task={stuck}&state=ended").endswith("and never ends by itself")


def test_a_clock_that_runs_need_not_be_advanced(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(clock__mode="real", tasks__processing_s=3600, tasks__failure_rate=1)
    said = instead(mock, f"task={made(mock)}&state=ended")
    assert said.startswith("the task is queued, due to fail in 36")
    assert "advance" not in said


def test_who_waits_for_a_delivery_is_told_how_it_stands(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[60])
    assert instead(mock, "delivery=succeeded") == "no delivery is known"
    task_id = video(mock, callback_url=NOWHERE)
    of_task = f"task={task_id}&delivery=succeeded"
    said = instead(mock, of_task)
    assert said.startswith("no delivery of the task is known; the task is queued, due to")
    advance(mock, 1)
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


def test_of_many_deliveries_the_latest_are_told(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(acedata__callback_waits_s=[])
    for _ in range(5):
        video(mock, callback_url=NOWHERE)
    advance(mock, 1)
    said = instead(mock, "delivery=succeeded")
    assert said.startswith("5 deliveries, the latest of them; ")
    assert [each.id in said for each in mock.world.deliveries] == [False, False, True, True, True]


def test_a_delivery_of_another_task_is_refused_where_it_is_wrong(mock: Mock) -> None:
    task_id, other = video(mock, callback_url=NOWHERE), video(mock)
    advance(mock, 1)
    (delivery,) = mock.world.deliveries
    answer = at_once(mock, f"delivery_id={delivery.id}&task={other}")
    (wrong,) = answer.json()["errors"]
    assert (answer.status, wrong["pointer"]) == (400, "/delivery_id")
    assert task_id in wrong["detail"]
    assert at_once(mock, f"delivery_id={delivery.id}&task={task_id}").status == 200
