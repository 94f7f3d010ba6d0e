"""A server that is killed at once loses nothing that it has answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.control import Control
from mock_server.control.history_answers import StoryAttempt
from mock_server.server.embedded import in_process
from mock_server.server.make_server import make_server
from mock_server.simulation.world_plans import ClockPlan, WorldPlan
from tests.asgi import Driver
from tests.live import WAIT_S
from tests.mock import KEY, MINIMAL, PNG, START_MS, TOKEN, VIDEO, settings_of
from tests.server.test_serve import serving

UNKNOWN = "outcome unknown: the server ended during this attempt"
HEADERS = {"authorization": f"Bearer {KEY}"}


def create(url: str, key: str) -> Any:
    return httpx2.post(
        f"{url}/api/v1/generations", json=MINIMAL, headers=HEADERS | {"idempotency-key": key}
    ).json()


def credits_of(url: str) -> Any:
    return httpx2.get(f"{url}/api/v1/credits", headers=HEADERS).json()["current_credits"]


@pytest.mark.parametrize("durable", ["process", "power"])
def test_answered_creates_and_uploads_survive_a_kill(tmp_path: Path, durable: str) -> None:
    state = ("--state", str(tmp_path / "demo.db"), "--durable", durable)
    with serving(*state) as (process, ready):
        made = create(ready["url"], "once")
        left = credits_of(ready["url"])
        file = httpx2.post(
            f"{ready['url']}/api/v1/files",
            data={"kind": "image"},
            files={"file": ("a.png", PNG)},
            headers=HEADERS,
        ).json()
        process.kill()
        process.wait()
    with serving(*state) as (_, ready):
        assert credits_of(ready["url"]) == left
        assert create(ready["url"], "once")["id"] == made["id"]
        assert credits_of(ready["url"]) == left
        path = file["url"].partition("/media/")[2]
        assert httpx2.get(f"{ready['url']}/media/{path}").content == PNG


def test_an_attempt_that_had_begun_is_made_again_and_its_outcome_is_unknown(
    tmp_path: Path,
) -> None:
    arguments = ("--state", str(tmp_path / "demo.db"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WAIT_S)
        port = listening.getsockname()[1]
        video = VIDEO | {"callback_url": f"http://127.0.0.1:{port}/hook"}
        with serving(*arguments, "--time-scale", "20") as (process, ready):
            made = httpx2.post(
                f"{ready['url']}/hailuo/videos",
                json=video,
                headers={"authorization": f"Bearer {TOKEN}"},
            ).json()
            with received(listening) as (first, _):
                process.kill()
                process.wait()
        with serving(*arguments) as (_, ready):
            with received(listening) as (second, connection):
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            with Control(ready["url"]) as control:
                world = control.find()
                task = made["task_id"]
                delivery = world.wait_for_delivery(task, "succeeded", timeout_s=WAIT_S)
                story = world.story(task)
                state = control.version().state
    assert first == second
    assert state is not None
    assert (state.attempts_unknown, state.requests_not_kept > 0) == (1, True)
    unknown, answered = delivery.attempts
    assert unknown.error == UNKNOWN
    assert answered.answer is not None
    attempts = [each for each in story.entries if isinstance(each, StoryAttempt)]
    assert [each.error for each in attempts] == ["outcome unknown", None]


@contextmanager
def received(listening: socket.socket) -> Iterator[tuple[bytes, socket.socket]]:
    """The body of the next request, and its connection, which is open in this context."""
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(WAIT_S)
        data = b""
        while not data.endswith(b"}"):
            data += connection.recv(65536)
        yield data.partition(b"\r\n\r\n")[2], connection


def test_a_real_clock_goes_on_while_there_is_no_server_and_a_frozen_one_stays(
    tmp_path: Path,
) -> None:
    state = {"state__file": str(tmp_path / "demo.db")}
    now = [START_MS]
    settings = settings_of(**state, clock__mode="real", time_scale=60)
    first = make_server(settings, lambda: now[0])
    first.worlds.make(WorldPlan(name="still", clock=ClockPlan("frozen")))
    began_ms = first.world().clock.now_ms()
    first.keeper.close()
    now[0] += 2000
    second = make_server(settings, lambda: now[0])
    assert second.world().clock.now_ms() == began_ms + 60 * 2000
    assert second.world("still").clock.now_ms() == first.world("still").clock.now_ms()
    second.keeper.close()
    now[0] -= 10_000
    third = make_server(settings, lambda: now[0])
    assert third.world().clock.now_ms() >= began_ms + 60 * 2000, "time never goes backwards"
    third.keeper.close()


def test_a_server_without_a_socket_has_a_state_file_too(tmp_path: Path) -> None:
    settings = settings_of(state__file=str(tmp_path / "demo.db"))
    ids = []
    for _ in range(2):
        with in_process(settings) as app:
            driver = Driver(app)
            answer = driver.request("GET", "/_mock/worlds/default/tasks")
            ids.append(answer.json()["total"])
            created = driver.request(
                "POST",
                "/api/v1/generations",
                headers=HEADERS | {"content-type": "application/json"},
                body=httpx2.Request("POST", "http://a", json=MINIMAL).content,
            )
            assert created.status == 200
            driver.close()
    assert ids == [0, 1]
