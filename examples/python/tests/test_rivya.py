"""The Rivya client, with the fake. Its clock advances only while the client sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest
from client_common import DownloadRefused, Refused, StillRunning, TooManyRequests, Unavailable
from rivya_client import Rivya
from rivya_wire import GenerationFailed, IdempotencyConflict, InsufficientCredits

from mock_server.control import World

pytestmark = pytest.mark.hailuo_world(clock="frozen")

ACCOUNT = "rivya-test"
PRICE = 57
PROMPT = "Slow dolly towards a lighthouse at dusk"


def charged(world: World) -> int:
    """The credits of all orders so far, reserved or spent."""
    balance = world.ledger(ACCOUNT)
    return balance.granted - balance.available


@pytest.fixture
def client(world: World, sleep: Callable[[float], None]) -> Iterator[Rivya]:
    with Rivya(world.rivya_key, world.rivya_url, sleep=sleep) as client:
        yield client


def test_a_video_is_ordered_waited_for_and_saved(
    world: World, client: Rivya, tmp_path: Path
) -> None:
    ordered = client.create(PROMPT)
    assert (ordered.status, ordered.reserved_credits, ordered.video_url) == ("queued", PRICE, None)
    video = client.wait(ordered.id)
    client.download(video, tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
    assert client.credits() == 1_000_000 - PRICE
    assert world.ledger(ACCOUNT).spent == PRICE


def test_the_media_host_does_not_get_the_key(world: World, client: Rivya, tmp_path: Path) -> None:
    client.download(client.wait(client.create(PROMPT).id), tmp_path / "video.mp4")
    (download,) = world.requests(operation="media")
    assert download.request.header("authorization") is None


def test_polls_are_as_rare_as_rivya_advises(world: World, client: Rivya) -> None:
    with world.fault("stuck"):
        ordered = client.create(PROMPT)
    with pytest.raises(StillRunning):
        client.wait(ordered.id, max_wait_s=60)
    times = [read.at for read in world.requests(operation="read")]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert timedelta(seconds=5) <= min(pauses) <= max(pauses) <= timedelta(seconds=10)


def test_a_failed_generation_raises_an_error_and_is_refunded(world: World, client: Rivya) -> None:
    ordered = client.create(PROMPT)
    world.finish(ordered.id, "failed")
    with pytest.raises(GenerationFailed, match=ordered.id):
        client.wait(ordered.id)
    assert client.credits() == 1_000_000


# --- refusals that are not retried -------------------------------------------------------------


@pytest.mark.hailuo_world(clock="frozen", credits=PRICE)
def test_an_account_with_credits_for_one_video_gets_one(world: World, client: Rivya) -> None:
    client.create(PROMPT)
    with pytest.raises(InsufficientCredits):
        client.create(PROMPT)
    assert len(world.requests(operation="create")) == 2
    assert world.ledger(ACCOUNT).available == 0


def test_one_name_for_two_different_orders_is_a_conflict(world: World, client: Rivya) -> None:
    client.create(PROMPT, order="shot-42")
    with pytest.raises(IdempotencyConflict) as caught:
        client.create("Something else", order="shot-42")
    assert caught.value.request_id.startswith("req_")
    world.verify(operation="create", count=2)
    assert charged(world) == PRICE


@pytest.mark.parametrize("code", ["api_key_revoked", "api_scope_denied", "validation_failed"])
def test_other_refusals_are_not_retried(world: World, code: str) -> None:
    with (
        Rivya(f"{world.rivya_key}+{code}", world.rivya_url) as client,
        pytest.raises(Refused) as caught,
    ):
        client.create(PROMPT)
    assert caught.value.code == code
    world.verify(operation="create", count=1)


def test_a_header_can_cause_an_error(world: World) -> None:
    http = httpx2.Client(headers={"Mock-Scenario": "insufficient_credits"})
    client = Rivya(world.rivya_key, world.rivya_url, http=http)
    with client, pytest.raises(InsufficientCredits):
        client.create(PROMPT)


def test_the_prompt_can_cause_an_error(client: Rivya) -> None:
    with pytest.raises(InsufficientCredits):
        client.create(f"{PROMPT} mock:insufficient_credits")


# --- too many requests --------------------------------------------------------------------------


def test_the_retry_waits_as_long_as_the_answer_says(world: World, client: Rivya) -> None:
    world.set_key(ACCOUNT, world.rivya_key, api="rivya", rate_limit=1)
    client.credits()
    began = world.clock.get().now
    client.create(PROMPT)
    refused, accepted = world.requests(operation="create")
    assert (refused.status, accepted.status) == (429, 200)
    assert refused.answer is not None
    assert refused.answer.header("retry-after") == "60"
    assert accepted.at - began == timedelta(seconds=60)


def test_without_a_retry_after_each_wait_is_longer(world: World, client: Rivya) -> None:
    effect = {"type": "error", "code": "rate_limited", "retry_after_s": None}
    with world.fault(effect=effect, times=3):
        client.create(PROMPT)
    at = [each.at for each in world.requests(operation="create")]
    pauses = [later - earlier for earlier, later in pairwise(at)]
    assert [int(pause.total_seconds()) for pause in pauses] == [1, 2, 4]


def test_a_retry_after_may_be_a_date(world: World, client: Rivya) -> None:
    with world.fault("rate_limited_until_date", times=1):
        client.create(PROMPT)
    refused, accepted = world.requests(operation="create")
    assert refused.answer is not None
    asked = parsedate_to_datetime(refused.answer.header("retry-after") or "")
    assert refused.wall_at is not None
    waited = accepted.at - refused.at
    assert waited > asked - refused.wall_at - timedelta(seconds=1)


def test_a_day_is_not_waited_for(world: World, client: Rivya) -> None:
    effect = {"type": "error", "code": "rate_limited", "retry_after_s": 86_400}
    with world.fault(effect=effect), pytest.raises(TooManyRequests) as caught:
        client.create(PROMPT)
    assert caught.value.retry_after_s == 86_400
    world.verify(operation="create", count=1)


def test_retries_end_after_five_attempts(world: World, client: Rivya) -> None:
    with world.fault("rate_limited"), pytest.raises(TooManyRequests):
        client.create(PROMPT)
    world.verify(operation="create", count=5)
    assert world.tasks() == []


# --- answers that are lost ----------------------------------------------------------------------

LOST_AFTER_CHARGE = [
    "lost_answer",
    "answer_reset",
    "answer_cut",
    "answer_not_json",
    "bad_gateway_after",
    "gateway_timeout_after",
    "internal_error_after",
]


@pytest.mark.parametrize("scenario", LOST_AFTER_CHARGE)
def test_an_order_whose_answer_is_lost_is_paid_once(
    world: World, client: Rivya, scenario: str
) -> None:
    with world.fault(scenario, times=1):
        ordered = client.create(PROMPT)
    lost, found = world.requests(operation="create")
    key = lost.request.header("idempotency-key")
    assert key is not None
    assert found.request.header("idempotency-key") == key
    assert lost.task == found.task == ordered.id
    assert charged(world) == PRICE


@pytest.mark.parametrize("scenario", ["connection_reset", "bad_gateway", "public_api_disabled"])
def test_an_order_that_was_not_accepted_is_accepted_at_the_retry(
    world: World, client: Rivya, scenario: str
) -> None:
    with world.fault(scenario, times=1):
        client.create(PROMPT)
    world.verify(operation="create", count=2)
    assert charged(world) == PRICE


def test_another_process_finds_an_order_by_its_name(world: World, client: Rivya) -> None:
    with world.fault("lost_answer", times=5), pytest.raises(Unavailable):
        client.create(PROMPT, order="shot-42")
    with Rivya(world.rivya_key, world.rivya_url) as restarted:
        found = restarted.create(PROMPT, order="shot-42")
    assert [task.id for task in world.tasks()] == [found.id]
    assert charged(world) == PRICE


def test_an_order_with_another_name_is_charged_again(world: World, client: Rivya) -> None:
    client.create(PROMPT, order="shot-42")
    client.create(PROMPT, order="shot-43")
    assert charged(world) == 2 * PRICE


def test_the_create_of_a_webhook_is_not_repeated(world: World, client: Rivya) -> None:
    lost = {"type": "connection", "how": "reset", "when": "after"}
    with (
        world.fault(effect=lost, match={"operation": "webhooks"}),
        pytest.raises(Unavailable),
    ):
        client.make_webhook(world.inbox("hook").url)
    world.verify(operation="webhooks", count=1)


# --- the video ----------------------------------------------------------------------------------


def test_an_interrupted_download_is_repeated(world: World, client: Rivya, tmp_path: Path) -> None:
    video = client.wait(client.create(PROMPT).id)
    with world.fault("result_cut", times=1):
        client.download(video, tmp_path / "video.mp4")
    whole = httpx2.get(video.video_url or "").content
    assert (tmp_path / "video.mp4").read_bytes() == whole
    world.verify(operation="media", count=3)


@pytest.mark.parametrize("scenario", ["result_expired", "result_missing"])
def test_a_refused_download_leaves_no_file(
    world: World, client: Rivya, tmp_path: Path, scenario: str
) -> None:
    video = client.wait(client.create(PROMPT).id)
    with world.fault(scenario), pytest.raises(DownloadRefused):
        client.download(video, tmp_path / "video.mp4")
    assert not (tmp_path / "video.mp4").exists()


# --- changes of the API -------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["field_unknown", "status_unknown", "error_unknown"])
def test_unknown_fields_states_and_errors_are_accepted(
    world: World, client: Rivya, scenario: str
) -> None:
    ordered = client.create(PROMPT)
    with world.fault(scenario, times=1, match={"operation": "read"}):
        if scenario == "error_unknown":
            with pytest.raises(Refused):
                client.wait(ordered.id)
        else:
            assert client.wait(ordered.id).status == "succeeded"


def test_a_success_without_a_video_is_polled_again(world: World, client: Rivya) -> None:
    ordered = client.create(PROMPT)
    with world.fault("success_without_url", times=1):
        assert client.wait(ordered.id).video_url is not None
    world.verify(operation="read", count=2)
