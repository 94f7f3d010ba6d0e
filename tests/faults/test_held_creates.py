"""A held open create waits for its video only."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx2
import pytest

from tests import calls
from tests.live import WAIT_S, Live, live
from tests.mock import TOKEN, VIDEO, Mock

TELL_FIRST = {"type": "task", "told_before_answer": True}
HTML = "<html>bad</html>"
COMMITTED: dict[str, tuple[dict[str, Any], int]] = {
    "error": ({"type": "error", "code": "api_error", "when": "after"}, 500),
    "proxy": ({"type": "answer", "status": 504, "body": HTML, "when": "after"}, 504),
}
MINUTE = {"type": "delay", "seconds": 60, "when": "after"}


def ask(mock: Mock, scenario: str = "") -> calls.OpenRequest:
    """A create that is held open."""
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    if scenario:
        headers["mock-scenario"] = scenario
    asked = calls.Request("POST", "/hailuo/videos", headers, json.dumps(VIDEO).encode())
    return calls.OpenRequest(mock, asked)


def state_of_the_only_task(mock: Mock) -> str:
    (task,) = mock.world.tasks
    assert calls.is_balanced(mock.world)
    return mock.world.state_of(task).value


# --- what was told before the answer ----------------------------------------------------------


def test_a_create_whose_callback_comes_first_is_answered_at_once(mock: Mock) -> None:
    caller = ask(mock, "delivery_before_answer")
    assert caller.answer().json()["data"][0]["state"] == "succeeded"


def test_a_fault_of_the_door_can_send_the_callback_first(mock: Mock) -> None:
    calls.add_faults(mock, effect=TELL_FIRST | {"outcome": "failed"})
    answer = ask(mock).answer()
    assert (answer.status, answer.json()["error"]["code"]) == (500, "api_error")


# --- committed faults ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMITTED)
def test_a_fault_after_the_charge_does_not_wait_for_the_end_of_the_task(
    mock: Mock, name: str
) -> None:
    effect, status = COMMITTED[name]
    (fault,) = calls.add_faults(mock, effect=effect, times=1)
    assert ask(mock).answer().status == status
    assert state_of_the_only_task(mock) == "queued"
    assert mock.world.ledger.balance(calls.ACCOUNTS["acedata"]).reserved_credits == 1
    assert calls.on_faults(mock, "GET", f"/{fault['id']}").json()["happened"] == 1
    calls.advance(mock, 1)
    assert state_of_the_only_task(mock) == "succeeded"
    assert mock.world.ledger.balance(calls.ACCOUNTS["acedata"]).spent_credits == 1


@pytest.mark.parametrize("how", ["reset", "hang"])
def test_a_connection_that_breaks_after_the_charge_breaks_while_the_task_runs(how: str) -> None:
    effect = {"type": "connection", "how": how, "when": "after"}
    with live() as mock:
        httpx2.post(f"{mock.url}/_mock/worlds/default/faults", json={"effect": effect})
        with pytest.raises((httpx2.ReadError, httpx2.ReadTimeout, httpx2.RemoteProtocolError)):
            post_video(mock, timeout=0.5 if how == "hang" else WAIT_S)
        while not any(each.faults for each in mock.fake.world().journal):
            httpx2.get(f"{mock.url}/_mock/health")  # the client did not wait for the server
        (task,) = mock.fake.world().tasks
        assert mock.fake.world().state_of(task).value == "queued"
        (exchange,) = (each for each in mock.fake.world().journal if each.path == "/hailuo/videos")
        assert (exchange.task, len(exchange.faults), exchange.without) == (task.id, 1, "accepted")


def test_a_fault_with_a_delay_happens_later_on_the_clock_of_the_world(
    make_mock: Any,
) -> None:
    mock = make_mock(tasks__processing_s=600)
    headers = {"content-type": "application/json"}
    for effect in (MINUTE, COMMITTED["proxy"][0]):
        body = json.dumps({"effect": effect}).encode()
        mock.request("POST", "/_mock/worlds/default/faults", headers=headers, body=body)
    caller = ask(mock)
    calls.advance(mock, 59.9)
    assert caller.is_open
    calls.advance(mock, 0.1)
    assert caller.answer().status == 504
    assert state_of_the_only_task(mock) == "processing"


def test_a_late_answer_comes_later_than_the_video(mock: Mock) -> None:
    (fault,) = calls.add_faults(mock, effect=MINUTE)
    caller = ask(mock)
    calls.advance(mock, 60.9)
    assert caller.is_open
    calls.advance(mock, 0.1)
    assert caller.answer().json()["success"] is True
    assert calls.on_faults(mock, "GET", f"/{fault['id']}").json()["happened"] == 1


@pytest.mark.parametrize(
    ("rule", "status", "said"),
    [
        ({"effect": {"type": "body", "set": {"/success": 7}}}, 200, b'"success":7'),
        (
            {
                "effect": COMMITTED["proxy"][0],
                "match": {"operation": "create", "answer": {"/success": True}},
            },
            504,
            HTML.encode(),
        ),
    ],
)
def test_a_fault_that_changes_the_answer_waits_for_it(
    mock: Mock, rule: dict[str, Any], status: int, said: bytes
) -> None:
    calls.add_faults(mock, **rule)
    caller = ask(mock)
    assert caller.is_open
    calls.advance(mock, 1)
    answer = caller.answer()
    assert (answer.status, said in answer.body) == (status, True)


# --- ends that come in another way --------------------------------------------------------------


@pytest.mark.parametrize(("state", "status"), [("succeeded", 200), ("failed", 500)])
def test_a_create_whose_task_is_ended_by_hand_is_answered(
    mock: Mock, state: str, status: int
) -> None:
    caller = ask(mock)
    (task,) = mock.world.tasks
    path = f"/_mock/worlds/default/tasks/{task.id}/finish"
    headers = {"content-type": "application/json"}
    mock.request("POST", path, headers=headers, body=json.dumps({"state": state}).encode())
    answer = caller.answer()
    assert answer.status == status
    assert answer.json()["success"] is (state == "succeeded")


def test_a_task_ends_in_time_after_a_running_clock_was_moved() -> None:
    """The timer that was set before the move would be half an hour late."""
    with live(clock__mode="real", tasks__queued_s=0, tasks__processing_s=1800) as mock:
        waiting = threading.Thread(target=post_video, args=(mock,), kwargs={"timeout": WAIT_S})
        waiting.start()
        world = mock.fake.world()
        while (world.agenda.next_ms() or 0) <= world.clock.now_ms():
            pass  # the task is not taken up yet
        mock.advance(1799.9)
        waiting.join(WAIT_S)
        assert not waiting.is_alive()


def post_video(mock: Live, *, timeout: float) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    httpx2.post(f"{mock.url}/hailuo/videos", json=VIDEO, headers=headers, timeout=timeout)
