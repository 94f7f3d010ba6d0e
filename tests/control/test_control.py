"""The control door's Python client: what it promises, over a socket and without one."""

from __future__ import annotations

import asyncio
import inspect
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from mock_server import __version__, control
from mock_server.control import (
    AsyncControl,
    AsyncWorld,
    Control,
    ControlError,
    FaultNeverHappened,
    World,
)
from mock_server.control.answers import Balance, Message
from mock_server.control.wire import AsyncLine, Call, InThread, Line, Question, Steps
from mock_server.core.exchange_faults import ErrorFault
from mock_server.server.app import make_app
from mock_server.simulation.state import make_fake
from tests.live import WAIT_S, live
from tests.mock import MINIMAL, START, START_MS, VIDEO, settings_of

GENERATIONS = "/api/v1/generations"
NOW = datetime(2026, 5, 11, tzinfo=UTC)
assert NOW.timestamp() * 1000 == START_MS


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with live() as server:
        yield server.url


@pytest.fixture(scope="module")
def door(url: str) -> Iterator[Control]:
    with Control(url) as opened:
        yield opened


@pytest.fixture
def world(door: Control) -> Iterator[World]:
    with door.world(clock="frozen", now=NOW) as made:
        yield made


def create(world: World | AsyncWorld, **fields: Any) -> httpx2.Response:
    """A generation at Rivya's, by a client that knows nothing of worlds."""
    address = world.plain_url + GENERATIONS
    return httpx2.post(address, json=MINIMAL | fields, headers=world.headers("rivya"))


def task_id(world: World | AsyncWorld) -> str:
    answer = create(world)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def video(world: World, **fields: Any) -> httpx2.Response:
    address = f"{world.acedata_url}/hailuo/videos"
    return httpx2.post(address, json=VIDEO | fields, headers=world.headers("acedata"))


@contextmanager
def other_server(status: int, body: bytes) -> Iterator[str]:
    """A server that is no hailuo-mock, or one of another version."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


# --- worlds ---------------------------------------------------------------------------------


def test_a_world_s_key_alone_leads_an_unmodified_client_there(world: World) -> None:
    made = create(world).json()["id"]
    assert [task.id for task in world.tasks()] == [made]


def test_a_world_s_urls_lead_there_without_any_key(world: World) -> None:
    for base_url in (world.base_url, world.rivya_url, world.acedata_url):
        answer = httpx2.get(f"{base_url}/api/v1/credits")
        assert (answer.status_code, answer.headers["mock-world"]) == (401, world.name)


def test_both_apis_know_the_headers_of_a_world(world: World) -> None:
    assert create(world).status_code == 200
    assert video(world, **{"async": True}).status_code == 200
    assert {task.api for task in world.tasks()} == {"rivya", "acedata"}
    assert world.headers("rivya") == {"Authorization": f"Bearer {world.rivya_key}"}
    assert world.headers("acedata") == {"Authorization": f"Bearer {world.acedata_token}"}


def test_a_world_is_made_as_it_was_asked_for(door: Control) -> None:
    with door.world("mine", seed=7, credits=60, clock="frozen", now=NOW, scale=60) as made:
        assert (made.name, made.seed) == ("mine", 7)
        assert made.ledger("rivya-test") == Balance(60, 60, 0, 0)
        state = made.clock.get()
        assert (state.mode, state.now, state.scale) == ("frozen", NOW, 60)
        assert "'mine'" in repr(made)
        assert "seed 7" in repr(made)


def test_a_world_nobody_asked_anything_of_runs_in_real_time_under_a_free_name(
    door: Control,
) -> None:
    with door.world() as one, door.world() as other:
        assert one.name != other.name
        assert one.seed != other.seed
        assert (one.clock.get().mode, one.clock.get().scale) == ("real", 1.0)


def test_leaving_a_world_drops_it_also_after_an_error(door: Control) -> None:
    with pytest.raises(ZeroDivisionError), door.world("left"):
        raise ZeroDivisionError
    with pytest.raises(ControlError, match="no world called 'left'"):
        door.find("left")


def test_a_world_that_is_there_is_found_and_listed(door: Control, world: World) -> None:
    found = door.find(world.name)
    assert (found.name, found.seed, found.keys) == (world.name, world.seed, world.keys)
    names = [each.name for each in door.worlds()]
    assert names[0] == door.find().name == "default"
    assert world.name in names


def test_a_world_without_a_key_for_an_api_says_so(make_door: Any) -> None:
    account = {"name": "a", "credits": 1, "keys": [{"key": "rvya_sk_a", "api": "rivya"}]}
    with make_door(accounts=[account]) as opened:
        found = opened.find()
        assert found.rivya_key == "rvya_sk_a"
        with pytest.raises(LookupError, match="'default' was made without a key for acedata"):
            _ = found.acedata_token


@pytest.fixture
def make_door() -> Any:
    """Doors of servers with settings of their own, without a socket."""

    @contextmanager
    def make(token: str | None = None, **changes: Any) -> Iterator[Control]:
        fake = make_fake(settings_of(**changes), lambda: START_MS)
        with Control(make_app(fake), token) as opened:
            yield opened

    return make


# --- time -----------------------------------------------------------------------------------


def test_advancing_tells_all_that_happened_in_order(world: World) -> None:
    made = task_id(world)
    assert world.clock.advance(0.1) == []
    effects = world.clock.advance(0.9)
    assert [(each.subject, each.outcome) for each in effects] == [
        (made, "processing"),
        (made, "succeeded"),
    ]
    assert [each.at - NOW for each in effects] == [timedelta(seconds=0.2), timedelta(seconds=1)]
    assert world.clock.get().now == NOW + timedelta(seconds=1)


def test_until_idle_goes_just_as_far_as_something_is_due(world: World) -> None:
    task_id(world)
    assert world.clock.until_idle()[-1].outcome == "succeeded"
    assert world.clock.get().now == NOW + timedelta(seconds=1)
    assert world.clock.until_idle() == []


def test_a_clock_can_be_moved_to_a_moment_frozen_and_run(world: World) -> None:
    made = task_id(world)
    later = NOW + timedelta(days=2)
    assert world.clock.move_to(later).now == later
    assert world.task(made).state == "succeeded"
    assert world.clock.run(scale=60).mode == "real"
    assert world.clock.get().scale == 60
    assert world.clock.freeze().mode == "frozen"
    assert world.clock.run().scale == 1
    with pytest.raises(ControlError, match="/now must not be before"):
        world.clock.move_to(NOW)


# --- accounts and tasks -----------------------------------------------------------------------


def test_credits_set_here_are_what_a_client_has(world: World) -> None:
    assert world.set_credits("rivya-test", 60).credits == 60
    assert create(world).status_code == 200
    assert world.ledger("rivya-test") == Balance(60, 3, 57, 0)
    assert create(world).json()["error"]["code"] == "insufficient_credits"
    assert world.account("rivya-test").ledger.reserved == 57
    assert [each.name for each in world.accounts()] == ["rivya-test", "acedata-test"]


def test_an_account_made_here_can_be_used(world: World) -> None:
    key = {"key": f"rvya_sk_{world.name}", "api": "rivya"}
    made = world.make_account("poor", credits=57, keys=[key])
    assert (made.name, made.credits, made.keys[0].key) == ("poor", 57, key["key"])
    headers = {"authorization": f"Bearer {key['key']}"}
    answers = [
        httpx2.post(world.plain_url + GENERATIONS, json=MINIMAL, headers=headers).status_code
        for _ in range(2)
    ]
    assert answers == [200, 402]


def test_a_key_can_be_issued_narrowed_and_revoked(world: World) -> None:
    key = f"rvya_sk_other-{world.name}"
    issued = world.set_key("rivya-test", key, api="rivya", scopes=["credits:read"], rate_limit=9)
    (shown,) = [each for each in issued.keys if each.key == key]
    assert (shown.scopes, shown.rate_limit, shown.revoked) == (("credits:read",), 9, False)
    headers = {"authorization": f"Bearer {key}"}

    def code() -> Any:
        answer = httpx2.post(world.plain_url + GENERATIONS, json=MINIMAL, headers=headers)
        return answer.json()["error"]["code"]

    assert code() == "api_scope_denied"
    world.set_key("rivya-test", key, api="rivya", revoked=True)
    assert code() == "api_key_revoked"
    world.set_key("rivya-test", key, api="rivya", expires_at=NOW)
    assert code() == "api_key_expired"
    shown = world.set_key("rivya-test", key, api="rivya", disabled=True).keys[-1]
    assert (shown.disabled, len(shown.scopes), shown.expires_at) == (True, 9, None)


def test_a_task_is_shown_and_can_be_ended(world: World) -> None:
    first, second = task_id(world), task_id(world)
    task = world.task(first)
    assert (task.state, task.price_credits, task.request) == ("queued", 57, MINIMAL)
    assert (task.created_at, task.ends_at) == (NOW, NOW + timedelta(seconds=1))
    assert world.finish(task, "failed").state == "failed"
    assert world.finish(second).state == "succeeded"
    assert world.ledger("rivya-test") == Balance(1_000_000, 999_943, 0, 57)


# --- faults -----------------------------------------------------------------------------------


def test_a_fault_stands_in_its_block_and_is_gone_after_it(world: World) -> None:
    with world.fault("bad_gateway", times=2) as (fault,):
        assert [create(world).status_code for _ in range(3)] == [502, 502, 200]
        assert world.faults.get(fault).happened == 2
        assert [each.id for each in world.faults.standing()] == [fault.id]
    assert world.faults.standing() == []


def test_a_block_takes_away_only_the_faults_it_brought(world: World) -> None:
    (other,) = world.faults.add("slow")
    with pytest.raises(ZeroDivisionError), world.fault("hang"):
        raise ZeroDivisionError
    assert [each.id for each in world.faults.standing()] == [other.id]


def test_a_block_whose_faults_are_gone_already_ends_in_peace(world: World) -> None:
    with world.fault("hang"):
        world.reset()
    with world.fault("hang") as (fault,):
        assert world.faults.remove(fault.id).id == fault.id
    with world.fault("hang"):
        world.faults.clear()
    assert world.faults.standing() == []


def test_after_its_block_a_fault_shows_how_often_it_happened(world: World) -> None:
    with world.fault("bad_gateway", skip=1, times=1) as standing:
        assert [create(world).status_code for _ in range(4)] == [200, 502, 200, 200]
        assert [(each.matched, each.happened) for each in standing] == [(0, 0)]
    assert [(each.matched, each.happened) for each in standing] == [(2, 1)]


def test_a_block_left_by_an_exception_shows_the_counts_too(world: World) -> None:
    block = world.fault("bad_gateway")
    with pytest.raises(ZeroDivisionError), block as standing:
        raise ZeroDivisionError(create(world))
    assert [each.happened for each in standing] == [1]


def test_a_block_in_which_nothing_went_wrong_warns_at_its_line(world: World) -> None:
    block = world.fault("lost_answer", match={"prompt": "Storm"})
    with pytest.warns(FaultNeverHappened) as caught, block as (fault,):
        create(world)
    (warning,) = caught
    assert str(warning.message) == (
        f"the fault {fault.id} (lost_answer) never happened: it concerned nothing that came "
        "(match={'operation': 'create', 'prompt': 'Storm'}). "
        "If that is as it should be, say must_happen=False."
    )
    assert warning.filename == __file__
    assert world.faults.standing() == []
    told = "concerned 1 request, and skip=2, every=1"
    with pytest.warns(FaultNeverHappened, match=told), world.fault("bad_gateway", skip=2):
        create(world)
    assert (fault.matched, fault.happened) == (0, 0)


@pytest.mark.parametrize(
    ("scenario", "hint"),
    [("delivery_twice", "advance the clock inside the block"), ("fails_late", "make it inside")],
)
def test_what_never_happened_is_told_with_when_it_is_drawn(
    world: World, scenario: str, hint: str
) -> None:
    for probability in (1, 0.5):
        block = world.fault(scenario, probability=probability)
        with pytest.warns(FaultNeverHappened, match=hint), block:
            pass


def test_a_fault_of_a_delivery_happens_when_the_clock_moves_in_its_block(world: World) -> None:
    with world.fault("delivery_twice") as (fault,):
        video(world, **{"async": True, "callback_url": world.inbox("hook").url})
        world.clock.advance(5)
    assert fault.happened == 1


@pytest.mark.filterwarnings("error")
def test_a_block_that_may_go_well_does_not_warn(world: World) -> None:
    with world.fault("hang", must_happen=False) as (fault,):
        pass
    assert (fault.matched, fault.happened) == (0, 0)
    with world.fault("bad_gateway", probability=0) as (spared,):
        create(world)
    assert (spared.matched, spared.happened) == (1, 0)
    with pytest.raises(ZeroDivisionError), world.fault("hang"):
        raise ZeroDivisionError
    with world.fault("hang"):  # of what was taken away earlier nobody knows
        world.faults.clear()
    with world.fault("insufficient_credits"):  # a fault for each API; one of them happens
        assert create(world).status_code == 402


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_leaves_no_fault_behind(world: World) -> None:
    with pytest.raises(FaultNeverHappened), world.fault("hang"):
        pass
    assert world.faults.standing() == []


def test_a_rule_is_plain_data_or_the_struct_itself(world: World) -> None:
    code = "generation_failed"
    for effect in ({"type": "error", "code": code}, ErrorFault(code=code)):
        with world.fault(effect=effect, match={"prompt": "^Storm"}, times=1):
            assert create(world).status_code == 200
            assert create(world, prompt="Storm at sea").json()["error"]["code"] == code


def test_all_the_terms_of_a_rule_arrive(world: World) -> None:
    (fault,) = world.faults.add("slow", skip=1, times=2, every=3, probability=0.5)
    terms = (fault.skip, fault.times, fault.every, fault.probability, fault.scenario)
    assert terms == (1, 2, 3, 0.5, "slow")


def test_an_answer_lost_after_the_charge_is_seen_in_the_ledger(world: World) -> None:
    with world.fault("lost_answer", times=1), pytest.raises(httpx2.TransportError):
        create(world)
    assert world.ledger("rivya-test").reserved == 57


# --- the journal ------------------------------------------------------------------------------


def test_the_journal_shows_requests_with_their_answers(world: World) -> None:
    made = create(world)
    credits = httpx2.get(f"{world.rivya_url}/api/v1/credits?a=b")
    first, second = world.requests()
    assert first.id == made.headers["mock-request"]
    assert (first.method, first.path, first.api) == ("POST", GENERATIONS, "rivya")
    assert (first.operation, first.account, first.status) == ("create", "rivya-test", 200)
    assert first.task == made.json()["id"]
    assert first.at == first.ended_at == NOW
    assert first.request.json() == MINIMAL
    assert first.answer is not None
    assert first.answer.content == made.content
    assert first.answer.size_bytes == len(made.content)
    assert first.request.header("authorization") == "[redacted]"
    assert world.request(credits.headers["mock-request"]) == second
    assert (second.status, second.query) == (401, "a=b")


def test_an_exchange_in_a_line_says_what_came_of_it(world: World) -> None:
    create(world)
    with world.fault("bad_gateway"):
        create(world)
    create(world, model="nobody's")
    with world.fault("lost_answer"), pytest.raises(httpx2.TransportError):
        create(world)
    lines = [str(each).partition("  ")[2] for each in world.requests()]
    asked = f"POST {GENERATIONS} ->"
    assert lines[0] == f"{asked} 200"
    assert lines[1] == f"{asked} 502  by bad_gateway, otherwise accepted"
    assert lines[2].startswith(f"{asked} 400  Invalid: /model")
    assert lines[3] == f"{asked} no answer  by lost_answer, otherwise 200"
    assert str(world.requests()[0]).startswith(world.requests()[0].id)
    httpx2.get(f"{world.rivya_url}/api/v1/credits?a=b")
    assert " GET /api/v1/credits?a=b -> 401 " in str(world.requests()[-1])


def test_requests_are_filtered_and_exported(world: World) -> None:
    made = task_id(world)
    create(world, model="nobody's")
    httpx2.get(f"{world.rivya_url}/api/v1/generations/{made}", headers=world.headers("rivya"))
    video(world, **{"async": True})
    assert len(world.requests(method="POST")) == 3
    assert len(world.requests(task=made)) == 2
    assert len(world.requests(path="/api/v1/*", status=400)) == 1
    assert [each.api for each in world.requests(api="acedata", operation="create")] == ["acedata"]
    assert len(world.requests(account="rivya-test")) == 3
    newest = world.journal(limit=1, method="POST")
    assert (newest.evicted, newest.requests[0].api) == (0, "acedata")
    first = world.requests()[0]
    assert len(world.journal(since=first.id).requests) == 3
    assert len(world.export("ndjson", status=200).splitlines()) == 3
    entries = json.loads(world.export("har", status=400))["log"]["entries"]
    assert [each["response"]["status"] for each in entries] == [400]


def test_the_journal_forgets_when_told_to_and_says_so(world: World) -> None:
    create(world)
    world.clear_requests()
    assert (world.requests(), world.journal().evicted) == ([], 1)


def test_verify_passes_what_came_as_often_as_it_should(world: World) -> None:
    ids = [create(world, prompt=prompt).headers["mock-request"] for prompt in ("one", "two")]
    httpx2.get(f"{world.rivya_url}/api/v1/credits")
    assert world.verify(path=GENERATIONS, count=2).requests == tuple(ids)
    assert world.verify(body={"/prompt": "two"}).requests == (ids[1],)
    world.verify(method="POST", at_least=2, at_most=2)
    world.verify(method="PUT", count=0)
    world.verify(order=[{"body": {"/prompt": "one"}}, {"status": 401}])


def test_verify_fails_the_test_with_what_was_found_and_what_came_near(world: World) -> None:
    request_id = create(world).headers["mock-request"]
    with pytest.raises(AssertionError) as caught:
        world.verify(path=GENERATIONS, status=402, count=1)
    assert str(caught.value).splitlines() == [
        "expected exactly 1 such requests, found 0",
        f"  {request_id} POST {GENERATIONS}: status is 200, not 402",
    ]
    with pytest.raises(AssertionError, match="expected exactly 0 such requests, found 1"):
        world.verify(count=0)
    with pytest.raises(AssertionError, match="expected at least 2 such requests, found 1"):
        world.verify(at_least=2)
    with pytest.raises(AssertionError, match="expected at most 0 such requests, found 1"):
        world.verify(at_most=0)
    with pytest.raises(AssertionError, match="nothing like /order/1"):
        world.verify(order=[{"status": 200}, {"status": 200}])
    with pytest.raises(ControlError, match="did you mean 'status'"):
        world.verify(statsu=1)  # type: ignore[call-arg]


def test_waiting_ends_when_it_has_happened(world: World) -> None:
    inbox = world.inbox("hook")
    with ThreadPoolExecutor(3) as pool:
        request = pool.submit(world.wait_for_request, operation="create", timeout_s=WAIT_S)
        delivery = pool.submit(world.wait_for_delivery, timeout_s=WAIT_S)
        answer = video(world, **{"async": True, "callback_url": inbox.url})
        assert request.result().id == answer.headers["mock-request"]
        task = world.tasks()[0]
        ended = pool.submit(world.wait_for_task, task, timeout_s=WAIT_S)
        world.clock.until_idle()
        assert ended.result().state == "succeeded"
        assert delivery.result().event.subject == task.id
    assert world.wait_for_delivery(task, "succeeded").attempts
    with pytest.raises(ControlError, match="nothing of the kind"):
        world.wait_for_delivery(task_id(world), timeout_s=0)
    assert world.wait_for_task(task.id, "succeeded").id == task.id


def test_waiting_for_what_does_not_happen_ends_too(world: World) -> None:
    made, request_id = task_id(world), world.requests()[0].id
    waits: list[Callable[[], object]] = [
        lambda: world.wait_for_request(status=500, timeout_s=0),
        lambda: world.wait_for_request(after=request_id, timeout_s=0),
        lambda: world.wait_for_task(made, timeout_s=0),
        lambda: world.wait_for_task(made, "failed", timeout_s=0),
        lambda: world.wait_for_delivery(made, timeout_s=0),
        lambda: world.wait_for_delivery(timeout_s=0),
    ]
    for waiting in waits:
        with pytest.raises(ControlError, match="nothing of the kind within 0 s") as caught:
            waiting()
        assert caught.value.status == 408


def test_what_came_instead_is_in_the_error(world: World) -> None:
    create(world, model="nobody's")
    told = f"the nearest: POST {GENERATIONS} 400 .status is 400, not 200."
    with pytest.raises(
        ControlError, match=f"nothing of the kind within 0 s: 1 request came, {told}"
    ):
        world.wait_for_request(status=200, timeout_s=0)
    with pytest.raises(ControlError, match="in 1 s of the world's clock.*frozen: advance it"):
        world.wait_for_task(task_id(world), timeout_s=0)


def test_what_can_happen_no_more_is_not_waited_for(world: World) -> None:
    made = task_id(world)
    world.finish(made, "failed")
    waits: list[Callable[[], object]] = [
        lambda: world.wait_for_task(made, "succeeded", timeout_s=60),
        lambda: world.wait_for_task(made, "queued", timeout_s=60),
        lambda: world.wait_for_delivery(made, timeout_s=60),
    ]
    for waiting in waits:
        with pytest.raises(ControlError, match="the task") as caught:
            waiting()
        assert caught.value.status == 409


def test_one_delivery_can_be_waited_for(world: World) -> None:
    inbox = world.inbox("hook")
    inbox.program(500)
    for _ in range(2):
        video(world, **{"async": True, "callback_url": inbox.url})
    world.clock.advance(1)
    failed, taken = sorted(world.deliveries(), key=lambda each: each.state)
    assert world.wait_for_delivery(delivery=failed) == failed
    assert world.wait_for_delivery(outcome="ended", delivery=taken.id) == taken
    with pytest.raises(ControlError, match="unless it is sent again, it will not be 'succeeded'"):
        world.wait_for_delivery(outcome="succeeded", delivery=failed)
    world.redeliver(failed)
    world.clock.advance(0)
    again = world.wait_for_delivery(outcome="succeeded", delivery=failed)
    assert (again.id, len(again.attempts)) == (failed.id, 2)


# --- deliveries and inboxes -------------------------------------------------------------------


def test_an_inbox_shows_what_came_and_what_its_signature_is_worth(world: World) -> None:
    inbox = world.inbox("hook")
    assert inbox.requests() == []
    answer = video(world, **{"async": True, "callback_url": inbox.url})
    world.clock.advance(1)
    (received,) = inbox.requests()
    assert received.json()["task_id"] == answer.json()["task_id"]
    assert received.header("Content-Type") == "application/json"
    assert received.header("nothing") is None
    assert (received.method, received.answered, received.at) == (
        "POST",
        200,
        NOW + timedelta(seconds=1),
    )
    assert received.signature.valid is None
    assert received.content == received.body.encode()


def test_an_inbox_answers_as_it_was_programmed(world: World) -> None:
    inbox = world.inbox("hook of mine?")
    contents = inbox.program(500, {"status": 204, "times": 2})
    assert contents.answers == ({"status": 500}, {"status": 204, "times": 2})
    answers = [httpx2.post(inbox.url).status_code for _ in range(4)]
    assert answers == [500, 204, 204, 200]
    assert inbox.contents().name == "hook of mine?"
    assert inbox.contents().evicted == 0


def test_a_delivery_shows_every_attempt_and_can_be_sent_again(world: World) -> None:
    inbox = world.inbox("hook")
    inbox.program(503)
    video(world, **{"async": True, "callback_url": inbox.url})
    effects = world.clock.advance(1)
    assert effects[-1].what == "attempt"
    (delivery,) = world.deliveries()
    (attempt,) = delivery.attempts
    assert delivery.event.api == "acedata"
    assert attempt.request is not None
    assert attempt.answer is not None
    assert attempt.answer.status == 503
    assert (attempt.request.url, attempt.request.method) == (inbox.url, "POST")
    assert world.redeliver(delivery).id == delivery.id
    world.clock.advance(0)
    statuses = [each.answer and each.answer.status for each in world.delivery(delivery.id).attempts]
    assert statuses == [503, 200]
    assert len(inbox.requests()) == 2


# --- the whole world --------------------------------------------------------------------------


def test_a_snapshot_brings_everything_back_here_and_elsewhere(door: Control, world: World) -> None:
    made = task_id(world)
    document = world.snapshot()
    world.clock.until_idle()
    world.restore(document)
    assert world.task(made).state == "queued"
    assert world.snapshot() == document
    with door.world() as other:
        other.restore(document)
        assert other.task(made).state == "queued"


def test_a_reset_begins_the_world_anew(world: World) -> None:
    task_id(world)
    world.clock.advance(5)
    world.reset()
    assert world.tasks() == []
    assert world.clock.get().now == NOW
    assert world.ledger("rivya-test").reserved == 0


# --- what there is, and why it was so ---------------------------------------------------------


def test_scenarios_and_the_version_can_be_asked_for(door: Control) -> None:
    assert door.version().version == __version__
    names = [each.name for each in door.scenarios()]
    assert names == sorted(names)
    lost = door.scenario("lost_answer")
    assert lost.shows == door.scenarios()[names.index("lost_answer")].shows
    assert lost.faults[0]["effect"]["how"] == "reset"
    assert "Mock-Scenario: lost_answer" in lost.how["header"]


def test_an_answer_is_explained_by_its_request_s_id(door: Control, world: World) -> None:
    with world.fault("insufficient_credits"):
        refused = create(world)
    told = door.explain(refused.headers["mock-request"])
    assert (told.world, told.scenario, told.status) == (world.name, "insufficient_credits", 402)
    assert told.without == "accepted"


# --- what goes wrong here ---------------------------------------------------------------------


def test_a_refusal_is_one_error_with_pointers_and_near_names(world: World) -> None:
    with pytest.raises(ControlError) as caught:
        world.faults.add(effect={"type": "error", "cod": "x", "status": 1})
    assert caught.value.status == 400
    for wrong in caught.value.errors:
        assert f"{wrong.pointer} {wrong.detail}" in str(caught.value)
    assert {wrong.pointer for wrong in caught.value.errors} >= {"/effect/cod", "/effect/status"}
    with pytest.raises(ControlError, match="did you mean 'lost_answer'"):
        world.faults.add("lost_answr")


def test_a_refusal_without_places_is_its_sentence(door: Control) -> None:
    with pytest.raises(ControlError) as caught:
        door.find("nowhere")
    assert (caught.value.status, caught.value.errors) == (404, ())
    assert str(caught.value) == "there is no world called 'nowhere'"


def test_names_with_odd_letters_stay_one_step_of_a_path(door: Control, world: World) -> None:
    with pytest.raises(ControlError, match=r"no scenario 'a b\?c#é'"):
        door.scenario("a b?c#é")
    with pytest.raises(ControlError, match="no task with that id"):
        world.task("?state=failed")


def test_nobody_at_the_address_is_told_with_the_address() -> None:
    address = "http://127.0.0.1:1"
    with Control(address) as opened, pytest.raises(ControlError) as caught:
        opened.version()
    assert str(caught.value).startswith(f"nobody answers at {address}: ")
    assert caught.value.status is None
    with pytest.raises(ControlError, match="nobody answers at"):
        asyncio.run(AsyncControl(address).version())


def test_patience_has_an_end_that_is_told() -> None:
    def asking() -> Steps[None]:
        yield Question("GET", "/_mock/health", patience_s=0.01)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        told = f"GET /_mock/health: {address} did not answer within 0.01 s"
        with pytest.raises(ControlError, match=told):
            Line(address, None).run(asking())
        with pytest.raises(ControlError, match=told):
            asyncio.run(AsyncLine(address, None).run(asking()))


def test_a_server_that_is_no_hailuo_mock_is_told_from_one() -> None:
    told = "was answered 502, and not by a hailuo-mock"
    with (
        other_server(502, b"<html>Bad Gateway</html>") as address,
        Control(address) as opened,
        pytest.raises(ControlError, match=f"GET {address}/_mock/version {told}"),
    ):
        opened.version()


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff\xfe", b"null", b"[]", b"{}", b'{"version": 1}', b'"\xe4"']
)
def test_what_is_no_answer_of_a_hailuo_mock_is_told_as_such(body: bytes) -> None:
    with other_server(200, body) as address:
        told = f"GET {address}/_mock/version was not answered by a hailuo-mock"
        with Control(address) as opened, pytest.raises(ControlError, match=told):
            opened.version()
        with pytest.raises(ControlError, match=told):
            asyncio.run(AsyncControl(address).version())


@pytest.mark.parametrize(
    "address", ["", " ", "nonsense", "localhost:4010", "http://", "http://[::1", "ftp://a", "//a"]
)
@pytest.mark.parametrize("kind", [Control, AsyncControl])
def test_what_is_no_address_is_told_as_such(
    kind: type[Control] | type[AsyncControl], address: str
) -> None:
    with pytest.raises(ControlError) as caught:
        kind(address)
    assert str(caught.value).startswith(f"nobody answers at {address}: that is no URL")


@pytest.mark.parametrize("token", ["\u00e4", "a\nb"])
def test_a_token_that_no_server_can_have_is_told_as_such(token: str) -> None:
    with pytest.raises(ControlError) as caught:
        Control("http://127.0.0.1:1", token)
    assert token not in str(caught.value)


def test_an_address_with_tls_is_told_the_right_one(url: str) -> None:
    address = url.replace("http://", "https://")
    with Control(address) as opened, pytest.raises(ControlError, match="use http://"):
        opened.version()


def test_what_a_later_server_adds_to_an_answer_does_no_harm() -> None:
    later = json.dumps({"version": "9", "seed": 1, "mood": "good"}).encode()
    with other_server(200, later) as address, Control(address + "/") as opened:
        assert opened.version().version == "9"
        assert opened.url == address


def test_what_the_journal_cannot_know_is_no_assertion_that_holds() -> None:
    with live(limits__journal_exchanges=2) as server, Control(server.url) as opened:
        made = opened.find()
        for _ in range(3):
            create(made)
        with pytest.raises(AssertionError, match="whether that is all cannot be told: 1 older"):
            made.verify(operation="create", count=2)
        made.clear_requests()
        assert made.verify(operation="create", count=0).verified is True


def test_a_request_in_a_line_names_its_fields_without_effect(world: World) -> None:
    create(world, duration="10")
    (exchange,) = world.requests()
    assert str(exchange).endswith("without effect: /duration")


def test_a_locked_door_opens_to_its_token(make_door: Any) -> None:
    with make_door(control_token="sesame") as opened:
        with pytest.raises(ControlError, match="this door is locked") as caught:
            opened.version() and opened.worlds()
        assert caught.value.status == 401
    with make_door("sesame", control_token="sesame") as opened:
        assert [each.name for each in opened.worlds()] == ["default"]


# --- many at once, and without a socket -------------------------------------------------------


def test_many_threads_may_use_one_control(door: Control) -> None:
    def one(number: int) -> int:
        with door.world(credits=number) as made:
            return made.ledger("rivya-test").available

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(64))) == list(range(64))


def test_an_app_in_this_process_needs_no_socket() -> None:
    app = make_app(make_fake(settings_of(), lambda: START_MS))
    transport = InThread(app)
    with Control(app) as opened, httpx2.Client(transport=transport) as client:
        world = opened.find()
        answer = client.post(
            world.rivya_url + GENERATIONS, json=MINIMAL, headers=world.headers("rivya")
        )
        assert [task.id for task in world.tasks()] == [answer.json()["id"]]
        assert world.clock.until_idle()[-1].outcome == "succeeded"
        assert world.clock.get().now.isoformat().replace("+00:00", "Z") > START
        with world.fault("lost_answer"), pytest.raises(ConnectionResetError):
            client.post(world.rivya_url + GENERATIONS, json=MINIMAL, headers=world.headers("rivya"))
        assert len(world.tasks()) == 2


def test_who_has_no_more_patience_with_an_app_is_told_as_by_a_socket() -> None:
    app = make_app(make_fake(settings_of(), lambda: START_MS))
    with httpx2.Client(transport=InThread(app), base_url="http://mock.test") as client:
        headers = {"authorization": "Bearer rvya_sk_test+hang"}
        with pytest.raises(httpx2.ReadTimeout):
            client.post(GENERATIONS, json=MINIMAL, headers=headers, timeout=0.01)
        assert client.get("/_mock/health").status_code == 200


def test_a_closed_control_of_an_app_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with Control(make_app(make_fake(settings_of(), lambda: START_MS))) as opened:
        opened.version()
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


# --- awaited ----------------------------------------------------------------------------------


def test_both_kinds_have_the_same_calls() -> None:
    pairs = [
        (Control, AsyncControl),
        (World, AsyncWorld),
        (control.Clock, control.AsyncClock),
        (control.Faults, control.AsyncFaults),
        (control.Inbox, control.AsyncInbox),
    ]
    for waiting, awaited in pairs:
        missing = {name for name in dir(waiting) if not name.startswith("_")} - set(dir(awaited))
        assert missing <= {"close", "awaited"}
    for name in ("fault", "inbox"):
        one, other = getattr(World, name), getattr(AsyncWorld, name)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters


def test_every_call_says_what_it_promises() -> None:
    kinds = (Control, World, control.Clock, control.Faults, control.Inbox)
    for kind in kinds:
        for name in dir(kind):
            if not name.startswith("_"):
                assert inspect.getdoc(getattr(kind, name)), f"{kind.__name__}.{name}"


def test_a_call_looks_like_a_method_to_whoever_asks_python(world: World) -> None:
    call = world.clock.advance
    assert call.__name__ == "advance"
    assert (call.__doc__ or "").startswith("Move forward.")
    assert inspect.isfunction(World.ledger)
    assert isinstance(inspect.getattr_static(World, "ledger"), Call)


def test_an_async_world_does_what_a_world_does(url: str) -> None:
    async def scene() -> None:
        door = AsyncControl(url)
        async with await door.world(clock="frozen", now=NOW, credits=100) as world:
            async with world.fault("lost_answer", times=1) as (fault,):
                with pytest.raises(httpx2.TransportError):
                    create(world)
                assert (await world.faults.get(fault)).happened == 1
            assert await world.faults.standing() == []
            assert (fault.matched, fault.happened) == (1, 1)
            async with world.fault("hang"):
                await world.faults.clear()
            with pytest.warns(FaultNeverHappened) as caught:
                async with world.fault("hang"):
                    pass
            assert caught[0].filename == __file__
            async with world.fault("hang", must_happen=False):
                pass
            (task,) = await world.tasks()
            effects = await world.clock.advance(1)
            assert [each.subject for each in effects] == [task.id, task.id]
            assert await world.ledger("rivya-test") == Balance(100, 43, 0, 57)
            inbox = world.inbox("hook")
            await inbox.program(500)
            assert httpx2.post(inbox.url).status_code == 500
            assert len(await inbox.requests()) == 1
            with pytest.raises(ControlError, match="did you mean 'hang'"):
                await world.faults.add("hagn")
            name = world.name
        with pytest.raises(ControlError, match="no world called"):
            await door.find(name)

    asyncio.run(scene())


def test_an_async_control_may_be_used_in_one_event_loop_after_another(url: str) -> None:
    door = AsyncControl(url)
    for _ in range(3):
        assert asyncio.run(door.version()).version == __version__


def test_async_calls_may_be_made_at_once(url: str) -> None:
    async def scene() -> None:
        async with await AsyncControl(url).world() as world:
            ledgers = [world.ledger("rivya-test") for _ in range(20)]
            assert len(set(await asyncio.gather(*ledgers))) == 1

    asyncio.run(asyncio.wait_for(scene(), WAIT_S))


def test_a_world_can_be_awaited_where_a_test_is_async(world: World, make_door: Any) -> None:
    made = task_id(world)
    assert [each.id for each in asyncio.run(world.awaited().tasks())] == [made]
    with make_door("sesame", control_token="sesame") as opened:
        assert asyncio.run(opened.find().awaited().tasks()) == []


def test_an_async_world_of_an_app_runs_in_the_test_s_own_loop() -> None:
    app = make_app(make_fake(settings_of(), lambda: START_MS))

    async def scene() -> None:
        transport = httpx2.ASGITransport(app=app)
        world = await AsyncControl(app).find()
        async with httpx2.AsyncClient(transport=transport, base_url=world.rivya_url) as client:
            answer = await client.post(GENERATIONS, json=MINIMAL, headers=world.headers("rivya"))
            held = asyncio.create_task(
                client.post(
                    f"{world.acedata_url}/hailuo/videos",
                    json=VIDEO,
                    headers=world.headers("acedata"),
                )
            )
            while len(await world.tasks()) < 2:
                await asyncio.wait([held], timeout=0)  # its turn
            await world.clock.advance(1)
            assert (await held).status_code == 200
            assert (await world.task(answer.json()["id"])).state == "succeeded"

    asyncio.run(asyncio.wait_for(scene(), WAIT_S))


def test_bodies_are_kept_to_the_byte() -> None:
    message = Message((), "�", b"\xff")
    assert message.content == b"\xff"
    with pytest.raises(ValueError, match="malformed"):
        message.json()
