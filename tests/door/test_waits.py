"""Waiting for a request, a task or a delivery."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests import calls
from tests.live import WAIT_S, Live, live
from tests.mock import KEY, START_MS, TOKEN, VIDEO, Mock
from tests.receiver import receiver

WORLD = "/_mock/worlds/default"
JSON = {"content-type": "application/json"}
RIVYA = {"authorization": f"Bearer {KEY}"}
ACEDATA = {"authorization": f"Bearer {TOKEN}"}
Wait = Callable[..., calls.OpenRequest]
STATES = ["queued", "processing", "succeeded", "ended"]


@pytest.fixture
def wait(mock: Mock) -> Wait:
    """Begins a wait."""

    def begin(query: str, world: str = "default") -> calls.OpenRequest:
        path = f"/_mock/worlds/{world}/wait?timeout_s=60&{query}"
        return calls.OpenRequest(mock, calls.Request("GET", path, {}))

    return begin


def result_of(waiting: calls.OpenRequest) -> Any:
    """The answer to a wait that has ended."""
    answer = waiting.answer()
    assert answer.status == 200, answer.body
    return answer.json()


def asked_at_once(mock: Mock, query: str) -> tuple[int, Any]:
    """The answer to a wait with no time."""
    answer = mock.request("GET", f"{WORLD}/wait?timeout_s=0&{query}")
    return answer.status, answer.json()


def post(mock: Mock, path: str, body: Any = None) -> None:
    raw = b"" if body is None else json.dumps(body).encode()
    assert mock.request("POST", path, headers=JSON, body=raw).status in (200, 201)


# --- a request -------------------------------------------------------------------------------


def test_a_wait_for_an_answered_request_ends_at_once(mock: Mock) -> None:
    ids = [mock.rivya("GET", "/credits").headers["mock-request"] for _ in range(2)]
    status, found = asked_at_once(mock, "operation=credits")
    assert (status, found["request"]["id"]) == (200, ids[0])
    assert found["request"] == mock.request("GET", f"{WORLD}/requests/{ids[0]}").json()


@pytest.mark.parametrize(
    "query",
    ["", "method=POST", "path=/api/v1/*", "api=rivya", "operation=create", "status=200",
     "account=rivya-test", "method=POST&path=*generations&api=rivya&operation=create&status=200"],
)  # fmt: skip
def test_a_wait_for_a_request_ends_with_its_answer(mock: Mock, wait: Wait, query: str) -> None:
    waiting = wait(query)
    assert waiting.is_open
    request_id = mock.create().headers["mock-request"]
    assert result_of(waiting)["request"]["id"] == request_id


@pytest.mark.parametrize(
    "query",
    ["method=PUT", "path=/hailuo/*", "api=acedata", "operation=read", "status=400",
     "account=acedata-test", "task=task_x", "method=POST&status=402"],
)  # fmt: skip
def test_a_wait_for_a_request_ignores_others(mock: Mock, wait: Wait, query: str) -> None:
    waiting = wait(query)
    mock.create()
    assert waiting.is_open


def test_a_task_without_a_state_stands_for_the_requests_about_it(mock: Mock, wait: Wait) -> None:
    task_id = mock.create().json()["id"]
    waiting = wait(f"task={task_id}&operation=read")
    mock.rivya("GET", "/credits")
    assert waiting.is_open
    mock.generation(task_id)
    assert result_of(waiting)["request"]["task"] == task_id


def test_a_wait_after_a_request_counts_later_ones_only(mock: Mock, wait: Wait) -> None:
    first, second = (mock.rivya("GET", "/credits").headers["mock-request"] for _ in range(2))
    assert asked_at_once(mock, f"after={first}")[1]["request"]["id"] == second
    waiting = wait(f"after={second}&operation=credits")
    assert waiting.is_open
    third = mock.rivya("GET", "/credits").headers["mock-request"]
    assert result_of(waiting)["request"]["id"] == third


def test_a_wait_after_an_evicted_request_counts_all(mock: Mock) -> None:
    first = mock.rivya("GET", "/credits").headers["mock-request"]
    told = asked_at_once(mock, "after=req_unknown")[1]
    assert told["request"]["id"] == first
    assert "'after'" in told["note"]


def test_a_timeout_of_a_wait_after_an_evicted_request_says_so(
    make_mock: Callable[..., Mock],
) -> None:
    mock = make_mock(limits__journal_exchanges=2)
    first, *_ = (mock.rivya("GET", "/credits").headers["mock-request"] for _ in range(4))
    status, told = asked_at_once(mock, f"after={first}&operation=create")
    assert status == 408
    assert "the request of 'after' is not in the journal" in told["detail"]
    assert "2 older requests are no longer kept" in told["detail"]


def test_a_wait_for_a_running_request_ends_with_it(mock: Mock, wait: Wait) -> None:
    held = calls.OpenRequest(
        mock, calls.Request("POST", "/hailuo/videos", JSON | ACEDATA, json.dumps(VIDEO).encode())
    )
    waiting = wait("path=/hailuo/videos")
    assert waiting.is_open
    calls.advance(mock, 1)
    assert held.answer().status == 200
    assert result_of(waiting)["request"]["ended_at"] == "2026-05-11T00:00:01.000Z"


def test_a_wait_ignores_requests_to_the_door(mock: Mock, wait: Wait) -> None:
    waiting = wait("")
    mock.request("GET", "/_mock/health")
    assert waiting.is_open


def test_the_request_in_the_answer_to_a_wait_shows_no_credential(mock: Mock, wait: Wait) -> None:
    waiting = wait("")
    mock.create(prompt=f"my key is {KEY}")
    assert KEY.encode() not in waiting.answer().body


# --- a task ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_wait_for_a_task_ends_with_its_state(mock: Mock, wait: Wait, state: str) -> None:
    task_id = mock.create().json()["id"]
    waiting = wait(f"task={task_id}&state={state}")
    over = []
    for seconds in (0, 0.2, 0.8):
        calls.advance(mock, seconds)
        over.append(not waiting.is_open)
    assert (
        over
        == {
            "queued": [True, True, True],
            "processing": [False, True, True],
            "succeeded": [False, False, True],
            "ended": [False, False, True],
        }[state]
    )
    assert result_of(waiting)["task"]["id"] == task_id


def test_a_wait_for_a_state_that_lasted_no_time_succeeds(mock: Mock, wait: Wait) -> None:
    task_id = mock.create().json()["id"]
    waiting = wait(f"task={task_id}&state=processing")
    mock.advance(5)  # both moments have passed before anything looks
    mock.rivya("GET", "/credits")
    assert result_of(waiting)["task"]["state"] == "succeeded"


@pytest.mark.parametrize("state", ["failed", "ended"])
def test_a_wait_for_the_end_ends_with_a_failure_too(mock: Mock, wait: Wait, state: str) -> None:
    task_id = mock.create().json()["id"]
    waiting = wait(f"task={task_id}&state={state}")
    post(mock, f"{WORLD}/tasks/{task_id}/finish", {"state": "failed"})
    assert result_of(waiting)["task"]["state"] == "failed"


def test_a_wait_for_an_ended_task_ends_at_once(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(1)
    status, found = asked_at_once(mock, f"task={task_id}&state=ended")
    assert status == 200
    assert found["task"] == mock.request("GET", f"{WORLD}/tasks/{task_id}").json()


@pytest.mark.parametrize("query", ["state=ended", "state=ended&task=", "state=ended&task=task_x"])
def test_a_wait_for_an_unknown_task_is_refused_at_once(mock: Mock, query: str) -> None:
    answer = mock.request("GET", f"{WORLD}/wait?timeout_s=60&{query}")
    assert answer.status == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/task"]


def test_a_wait_for_a_task_ends_on_a_real_clock() -> None:
    with live(clock__mode="real", time_scale=1000.0) as server:
        body = json.dumps(VIDEO | {"async": True}).encode()
        url = f"{server.url}/hailuo/videos"
        made = httpx2.post(url, content=body, headers=ACEDATA | JSON).json()
        query = {"task": made["task_id"], "state": "ended"}
        assert waited(server, query).json()["task"]["state"] == "succeeded"


# --- a delivery ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome", "other"),
    [(204, "succeeded", "failed"), (500, "failed", "succeeded"), (500, "attempted", "succeeded")],
)
def test_a_wait_for_a_delivery_ends_with_the_answer_of_the_receiver(
    status: int, outcome: str, other: str
) -> None:
    with live() as server, receiver(status) as hook, waiter() as begin:
        body = VIDEO | {"callback_url": hook.url}
        url = f"{server.url}/hailuo/videos"
        task_id = httpx2.post(url, json=body, headers=ACEDATA).json()["task_id"]
        waiting = begin(server, {"task": task_id, "delivery": outcome})
        until(server, lambda: is_waited_for(server))
        assert not waiting.done()
        server.advance(1)
        delivery = waiting.result(WAIT_S).json()["delivery"]
        assert delivery["event"]["subject"] == task_id
        assert [each["answer"]["status"] for each in delivery["attempts"]] == [status]
        assert waited(server, {"delivery": outcome}).json()["delivery"] == delivery
        assert waited(server, {"delivery": other, "timeout_s": 0}).status_code == 408
        nobody = {"delivery": outcome, "task": "task_x", "timeout_s": 0}
        assert waited(server, nobody).status_code == 408


def test_a_wait_for_one_delivery_names_its_id() -> None:
    with live(acedata__callback_waits_s=[60]) as server, receiver(500, 200) as hook:
        body = VIDEO | {"callback_url": hook.url}
        for _ in range(2):
            httpx2.post(f"{server.url}/hailuo/videos", json=body, headers=ACEDATA)
        server.advance(1)
        deliveries = httpx2.get(f"{server.url}{WORLD}/deliveries").json()["deliveries"]
        pending, taken = sorted(deliveries, key=lambda each: str(each["state"]))
        tried = waited(server, {"delivery_id": pending["id"], "timeout_s": 0})
        assert tried.json()["delivery"] == pending
        query = {"delivery_id": pending["id"], "delivery": "ended"}
        assert waited(server, query | {"timeout_s": 0}).status_code == 408
        with waiter() as begin:
            waiting = [
                begin(server, {"delivery_id": pending["id"], "delivery": outcome})
                for outcome in ("ended", "succeeded")
            ]
            until(server, lambda: is_waited_for(server, 2))
            server.advance(60)
            for each in waiting:
                delivery = each.result(WAIT_S).json()["delivery"]
                assert (delivery["id"], delivery["state"]) == (pending["id"], "succeeded")
                assert len(delivery["attempts"]) == 2
        assert taken["state"] == "succeeded"


def test_a_delivery_that_is_sent_again_can_be_waited_for_again() -> None:
    with live(acedata__callback_waits_s=[]) as server, receiver(500, 200) as hook:
        body = VIDEO | {"callback_url": hook.url}
        httpx2.post(f"{server.url}/hailuo/videos", json=body, headers=ACEDATA)
        server.advance(1)
        failed = waited(server, {"delivery": "ended"}).json()["delivery"]
        assert failed["state"] == "failed"
        httpx2.post(f"{server.url}{WORLD}/deliveries/{failed['id']}/redeliver")
        with waiter() as begin:
            waiting = begin(server, {"delivery_id": failed["id"], "delivery": "succeeded"})
            until(server, lambda: is_waited_for(server) or waiting.done())
            server.advance(0)
            assert len(waiting.result(WAIT_S).json()["delivery"]["attempts"]) == 2


# --- patience --------------------------------------------------------------------------------


def test_a_wait_ends_with_408_when_its_time_is_over(mock: Mock) -> None:
    began_s = time.monotonic()
    answer = mock.request("GET", f"{WORLD}/wait?operation=credits&timeout_s=0.05")
    assert time.monotonic() - began_s >= 0.05
    assert (answer.status, answer.headers["content-type"]) == (408, "application/problem+json")
    assert "0.05 s" in answer.json()["title"]


def test_other_requests_do_not_prolong_a_wait(mock: Mock) -> None:
    waiting = calls.OpenRequest(
        mock, calls.Request("GET", f"{WORLD}/wait?operation=read&timeout_s=0.1", {})
    )
    began_s = time.monotonic()
    while waiting.is_open:
        mock.rivya("GET", "/credits")
    assert time.monotonic() - began_s < WAIT_S / 4
    assert waiting.answer().status == 408


@pytest.mark.parametrize(
    ("query", "pointer", "hint"),
    [("timeout_s=-1", "/timeout_s", "0"), ("timeout_s=61", "/timeout_s", "60"),
     ("timeout_s=soon", "/timeout_s", "a number"), ("timeout_s=nan", "/timeout_s", "a number"),
     ("timeout_s=inf", "/timeout_s", "a number"), ("status=ok", "/status", "an integer"),
     ("timeout=1", "/timeout", "did you mean 'timeout_s'"),
     ("state=eneded", "/state", "did you mean 'ended'"), ("since=req_1", "/since", "no field"),
     ("delivery=tried", "/delivery", "'attempted'"),
     ("delivery_id=delivery_x", "/delivery_id", "no delivery"),
     ("delivery_id=delivery_x&delivery=ended", "/delivery_id", "no delivery"),
     ("delivery=succeeded&state=ended", "/state", "is for tasks")],
)  # fmt: skip
def test_a_wrong_wait_is_refused(mock: Mock, query: str, pointer: str, hint: str) -> None:
    calls.require_refused(mock.request("GET", f"{WORLD}/wait?{query}"), pointer, hint)


def test_a_timeout_may_be_written_with_an_exponent(mock: Mock) -> None:
    assert mock.request("GET", f"{WORLD}/wait?timeout_s=1e-05").status == 408


# --- the end of a world ----------------------------------------------------------------------


@pytest.mark.parametrize("query", ["operation=credits", "delivery=attempted", "state=ended&task="])
@pytest.mark.parametrize("end", ["reset", "drop", "snapshot"])
def test_a_wait_ends_at_once_with_its_world(mock: Mock, wait: Wait, end: str, query: str) -> None:
    post(mock, "/_mock/worlds", {"name": "other"})
    other = "/_mock/worlds/other"
    mock.rivya("POST", "/generations", {"model": "hailuo-pro", "prompt": "a"}, key=f"{KEY}-other")
    (task,) = mock.request("GET", f"{other}/tasks").json()["tasks"]
    if query.endswith("task="):
        query += task["id"]
    mine, elsewhere = wait(query, "other"), wait("operation=credits")
    assert mine.is_open
    if end == "reset":
        post(mock, f"{other}/reset")
    elif end == "drop":
        mock.request("DELETE", other)
    else:
        taken = mock.request("GET", f"{WORLD}/snapshot").body
        assert mine.is_open
        assert mock.request("PUT", f"{other}/snapshot", headers=JSON, body=taken).status == 200
    answer = mine.answer()
    assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["title"] == "this world is gone"
    assert elsewhere.is_open


def test_every_wait_ends_when_a_world_ends_after_an_event(mock: Mock, wait: Wait) -> None:
    async def both_at_once() -> None:
        mock.fake.worlds["default"].timekeeper.notify_waiters()
        mock.fake.worlds.reset("default")

    waiting = wait("operation=credits")
    mock.driver.loop.run_until_complete(both_at_once())
    assert waiting.answer().status == 503


def test_after_a_reset_a_world_can_be_waited_in_again(mock: Mock, wait: Wait) -> None:
    post(mock, f"{WORLD}/reset")
    waiting = wait("operation=credits")
    mock.rivya("GET", "/credits")
    assert result_of(waiting)["request"]["operation"] == "credits"


def test_a_dropped_world_has_no_timer(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(clock__mode="real")
    post(mock, "/_mock/worlds", {"name": "other"})
    timekeeper = mock.fake.worlds["other"].timekeeper
    mock.rivya("POST", "/generations", {"model": "hailuo-pro", "prompt": "a"}, key=f"{KEY}-other")
    assert timekeeper._timer is not None
    mock.request("DELETE", "/_mock/worlds/other")
    assert timekeeper._timer is None


def test_every_wait_is_answered_when_the_server_stops() -> None:
    with waiter() as begin:
        with live() as server:
            waiting = [begin(server, {"operation": "credits", "timeout_s": 60}) for _ in range(5)]
            until(server, lambda: is_waited_for(server, 5))
            began_s = time.monotonic()
        answers = [each.result(WAIT_S) for each in waiting]
        assert time.monotonic() - began_s < WAIT_S / 4
    assert [answer.status_code for answer in answers] == [503] * 5


# --- over the network ------------------------------------------------------------------------


def test_a_wait_whose_client_hangs_up_leaves_nothing_behind() -> None:
    with live() as server:
        address, idle = urlsplit(server.url), tasks_of(server)
        head = f"GET {WORLD}/wait?operation=credits&timeout_s=60 HTTP/1.1\r\nhost: [::1]\r\n\r\n"
        for _ in range(3):
            target = (str(address.hostname), int(address.port or 0))
            with socket.create_connection(target, WAIT_S) as connection:
                connection.sendall(head.encode())
                until(server, lambda: is_waited_for(server))
            until(server, lambda: tasks_of(server) == idle)
        assert not is_waited_for(server)


def test_a_wait_ends_when_another_client_advances_the_clock() -> None:
    with live() as server, waiter() as begin:
        body = VIDEO | {"async": True}
        url = f"{server.url}/hailuo/videos"
        task_id = httpx2.post(url, json=body, headers=ACEDATA).json()["task_id"]
        waiting = begin(server, {"task": task_id, "state": "succeeded"})
        until(server, lambda: is_waited_for(server))
        mover = threading.Thread(target=server.advance, args=(1,))
        mover.start()
        assert waiting.result(WAIT_S).json()["task"]["state"] == "succeeded"
        mover.join(WAIT_S)
        assert server.fake.world().clock.now_ms() == START_MS + 1000


def test_many_waits_for_one_request_all_end() -> None:
    async def crowd(server: Live) -> list[str]:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(base_url=server.url, timeout=WAIT_S, limits=limits) as client:
            query = "operation=credits&timeout_s=60"
            waits = [asyncio.create_task(client.get(f"{WORLD}/wait?{query}")) for _ in range(100)]
            await asyncio.to_thread(until, server, lambda: is_waited_for(server, 100))
            await client.get("/api/v1/credits", headers=RIVYA)
            answers = await asyncio.gather(*waits)
        return [answer.json()["request"]["operation"] for answer in answers]

    with live() as server:
        assert asyncio.run(crowd(server)) == ["credits"] * 100


def waited(server: Live, query: dict[str, Any]) -> httpx2.Response:
    return httpx2.get(f"{server.url}{WORLD}/wait", params=query, timeout=WAIT_S)


@contextmanager
def waiter() -> Iterator[Callable[[Live, dict[str, Any]], Future[httpx2.Response]]]:
    """Begins waits in threads of their own; they have ended when it is left."""
    with ThreadPoolExecutor(8) as pool:
        yield lambda server, query: pool.submit(waited, server, query)


def until(server: Live, is_so: Callable[[], bool]) -> None:
    """Returns when the condition holds. Each check is a request, so that the server can run."""
    ends_s = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < ends_s
        httpx2.get(f"{server.url}/_mock/health")


def is_waited_for(server: Live, count: int = 1) -> bool:
    """Whether so many are waiting in the default world."""
    return on_loop(server, lambda: len(server.fake.worlds["default"].timekeeper._waiters)) >= count


def tasks_of(server: Live) -> int:
    """How many other tasks run in the loop of the server."""
    return on_loop(server, lambda: len(asyncio.all_tasks())) - 1


def on_loop(server: Live, look: Callable[[], int]) -> int:
    async def looked() -> int:
        return look()

    return asyncio.run_coroutine_threadsafe(looked(), server.loop).result(WAIT_S)
