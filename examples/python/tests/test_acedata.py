"""The Ace Data Cloud client, with the fake. Its clock advances only while the client sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
from acedata_callbacks import Callbacks
from acedata_client import AceData
from acedata_wire import MaybeCharged, Task, TaskFailed, UsedUp
from client_common import NotSent, Refused, StillRunning, TooManyRequests

from mock_server.control import World

pytestmark = pytest.mark.hailuo_world(clock="frozen")

ACCOUNT = "acedata-test"
PROMPT = "Paper boats on a pond"


def charged(world: World) -> int:
    """The credits of all orders so far, reserved or spent. A video costs 1."""
    balance = world.ledger(ACCOUNT)
    return balance.granted - balance.available


@pytest.fixture
def client(world: World, sleep: Callable[[float], None]) -> Iterator[AceData]:
    with AceData(world.acedata_token, world.acedata_url, sleep=sleep) as client:
        yield client


@pytest.mark.hailuo_world(scale=100)
def test_a_held_open_request_returns_a_video(client: AceData, tmp_path: Path) -> None:
    video = client.generate(PROMPT)
    assert video.state == "succeeded"
    client.download(video, tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"


def test_a_video_is_ordered_waited_for_and_saved(
    world: World, client: AceData, tmp_path: Path
) -> None:
    task_id = client.submit(PROMPT)
    assert client.get(task_id).state == "running"
    client.download(client.wait(task_id), tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
    assert world.ledger(ACCOUNT).spent == 1


def test_a_video_can_start_with_an_image(world: World, client: AceData) -> None:
    task_id = client.submit(PROMPT, first_image_url="https://example.com/boats.png")
    assert world.task(task_id).model == "minimax-i2v"


def test_polls_are_as_rare_as_advised(world: World, client: AceData) -> None:
    with world.fault("stuck"):
        task_id = client.submit(PROMPT)
    with pytest.raises(StillRunning):
        client.wait(task_id, max_wait_s=120)
    times = [read.at for read in world.requests(operation="read")]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert timedelta(seconds=5) <= min(pauses) <= max(pauses) <= timedelta(seconds=30)


def test_a_failed_task_raises_an_error_and_is_refunded(world: World, client: AceData) -> None:
    task_id = client.submit(PROMPT)
    world.finish(task_id, "failed")
    with pytest.raises(TaskFailed, match=task_id):
        client.wait(task_id)
    assert charged(world) == 0


# --- refusals that are not retried -------------------------------------------------------------


@pytest.mark.hailuo_world(clock="frozen", credits=1)
def test_an_account_with_credits_for_one_video_gets_one(world: World, client: AceData) -> None:
    client.submit(PROMPT)
    with pytest.raises(UsedUp):
        client.submit(PROMPT)
    world.verify(operation="create", count=2)
    assert world.ledger(ACCOUNT).available == 0


@pytest.mark.parametrize("code", ["used_up", "invalid_token", "forbidden", "bad_request"])
def test_refusals_are_not_retried(world: World, code: str) -> None:
    with (
        AceData(f"{world.acedata_token}+{code}", world.acedata_url) as client,
        pytest.raises(Refused) as caught,
    ):
        client.submit(PROMPT)
    assert caught.value.code == code
    world.verify(operation="create", count=1)


# --- too many requests --------------------------------------------------------------------------


def test_the_retry_waits_as_long_as_the_answer_says(world: World, client: AceData) -> None:
    world.set_key(ACCOUNT, world.acedata_token, api="acedata", rate_limit=1)
    client.get(client.submit(PROMPT))
    statuses = [(each.operation, each.status) for each in world.requests(api="acedata")]
    assert statuses == [("create", 200), ("read", 429), ("read", 200)]


def test_retries_end_after_five_attempts(world: World, client: AceData) -> None:
    with world.fault("too_many_requests"), pytest.raises(TooManyRequests):
        client.submit(PROMPT)
    world.verify(operation="create", count=5)
    assert world.tasks() == []


# --- answers that are lost ----------------------------------------------------------------------

UNANSWERED = {
    "connection_reset": 0,
    "bad_gateway": 0,
    "lost_answer": 1,
    "answer_cut": 1,
    "gateway_timeout_after": 1,
    "internal_error_after": 1,
}


@pytest.mark.parametrize(("scenario", "paid"), UNANSWERED.items())
def test_an_order_without_an_answer_is_not_repeated(
    world: World, client: AceData, scenario: str, paid: int
) -> None:
    with world.fault(scenario, times=1), pytest.raises(MaybeCharged):
        client.submit(PROMPT)
    world.verify(operation="create", count=1)
    assert charged(world) == paid


def test_a_second_order_is_charged_again(world: World, client: AceData) -> None:
    with world.fault("lost_answer"), pytest.raises(MaybeCharged):
        client.submit(PROMPT)
    wanted = client.submit(PROMPT)
    world.clock.until_idle()
    assert world.ledger(ACCOUNT).spent == 2
    assert [task.id for task in world.tasks() if task.id != wanted]


def test_the_callback_of_an_order_without_answer_has_its_video(
    world: World, client: AceData, tmp_path: Path
) -> None:
    inbox = world.inbox("order-42")
    with world.fault("lost_answer"), pytest.raises(MaybeCharged):
        client.submit(PROMPT, callback_url=inbox.url)
    world.clock.until_idle()
    (request,) = inbox.requests()
    found: list[Task] = []
    Callbacks(client.get, found.append).receive(dict(request.headers), request.content)
    client.download(found[0], tmp_path / "order-42.mp4")
    assert world.ledger(ACCOUNT).spent == 1


def test_an_order_without_a_callback_was_not_accepted(world: World, client: AceData) -> None:
    inbox = world.inbox("order-43")
    with world.fault("connection_reset", times=1), pytest.raises(MaybeCharged):
        client.submit(PROMPT, callback_url=inbox.url)
    world.clock.advance(1800)
    assert inbox.requests() == []
    client.submit(PROMPT, callback_url=inbox.url)
    world.clock.until_idle()
    assert len(inbox.requests()) == 1
    assert world.ledger(ACCOUNT).spent == 1


def test_an_order_to_a_server_that_is_down_is_sent_again() -> None:
    pauses_s: list[float] = []
    client = AceData("test-token", "http://127.0.0.1:1", sleep=pauses_s.append)
    with client, pytest.raises(NotSent):
        client.submit(PROMPT)
    assert [int(pause) for pause in pauses_s] == [1, 2, 4, 8]


def test_a_read_without_an_answer_is_repeated_for_free(world: World, client: AceData) -> None:
    task_id = client.submit(PROMPT)
    with world.fault("connection_reset", match={"operation": "read"}, times=2):
        client.wait(task_id)
    world.verify(operation="read", count=3)
    assert charged(world) == 1


def test_an_interrupted_download_is_repeated(world: World, client: AceData, tmp_path: Path) -> None:
    video = client.wait(client.submit(PROMPT))
    with world.fault("result_cut", times=1):
        client.download(video, tmp_path / "video.mp4")
    whole = httpx2.get(video.video_url or "").content
    assert (tmp_path / "video.mp4").read_bytes() == whole
    world.verify(operation="media", count=3)
