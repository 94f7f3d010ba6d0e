"""The control door's client on requests, deliveries and inboxes."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2
import pytest

from mock_server.control import ControlError, World
from mock_server.control.history_answers import StoryLedgerRow, StoryState
from tests.control.plain_client import GENERATIONS, NOW, create, task_id, video
from tests.live import WAIT_S
from tests.mock import MINIMAL

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


def test_a_request_is_printed_as_one_line_with_its_outcome(world: World) -> None:
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


def test_the_story_of_a_task_is_typed(world: World) -> None:
    made = task_id(world)
    world.clock.advance(5)
    told = world.story(made)
    assert [entry.type for entry in told.entries] == [
        "request", "ledger", "state", "clock", "state", "ledger", "state", "no_delivery",
    ]  # fmt: skip
    (task,) = world.tasks()
    (held, spent) = world.story(task, type="ledger").entries
    assert isinstance(held, StoryLedgerRow)
    assert isinstance(spent, StoryLedgerRow)
    assert (held.moved, held.change, spent.moved, spent.change) == ("held", -57, "spent", 0)
    assert world.story(made, since=task.ends_at).entries == ()
    assert world.story(made, until=task.created_at, limit=1).entries == told.entries[3:4]
    with pytest.raises(ControlError, match="no task with that id"):
        world.story("none")


def test_the_rows_of_an_account_add_up(world: World) -> None:
    made = task_id(world)
    world.set_credits("rivya-test", 5)
    ledger = world.ledger_rows("rivya-test")
    assert ledger.balance == world.ledger("rivya-test")
    change = sum(row.change for row in ledger.rows)
    assert ledger.opening.available + change == ledger.balance.available == 5
    assert world.ledger_rows("rivya-test", task=made).rows == ledger.rows[1:2]
    assert world.ledger_rows("rivya-test", moved="set").rows == ledger.rows[2:]
    assert world.ledger_rows("rivya-test", since=2).rows == ledger.rows[2:]
    assert world.ledger_rows("rivya-test", limit=1).rows == ledger.rows[2:]


def test_changes_after_a_cursor_are_waited_for(world: World) -> None:
    begin = world.changes()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(world.changes, begin.cursor, type="state", timeout_s=WAIT_S)
        made = task_id(world)
        (state,) = waiting.result().changes
    assert isinstance(state, StoryState)
    assert (state.task, state.state) == (made, "queued")
    page = world.changes(begin.cursor, limit=1)
    assert page.more
    assert [each.type for each in page.changes] == ["request_started"]
    assert world.changes(world.changes().cursor).changes == ()
    with pytest.raises(ControlError, match="is no cursor"):
        world.changes("x")


def test_clearing_the_journal_returns_the_count(world: World) -> None:
    create(world)
    world.clear_requests()
    assert (world.requests(), world.journal().evicted) == ([], 1)


def test_verify_passes_for_the_expected_number_of_requests(world: World) -> None:
    ids = [create(world, prompt=prompt).headers["mock-request"] for prompt in ("one", "two")]
    httpx2.get(f"{world.rivya_url}/api/v1/credits")
    assert world.verify(path=GENERATIONS, count=2).requests == tuple(ids)
    assert world.verify(body={"/prompt": "two"}).requests == (ids[1],)
    world.verify(method="POST", at_least=2, at_most=2)
    assert world.verify(headers={"Authorization": True}, count=2).requests == tuple(ids)
    world.verify(headers={"authorization": False, "Accept": "^"}, count=1)
    world.verify(method="PUT", count=0)
    world.verify(order=[{"body": {"/prompt": "one"}}, {"status": 401}])


def test_verify_fails_with_what_was_found_and_the_near_misses(world: World) -> None:
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
    with pytest.raises(AssertionError, match="header Idempotency-Key is absent, not present"):
        world.verify(headers={"Idempotency-Key": True})
    with pytest.raises(AssertionError, match=r"header authorization is present, not absent"):
        world.verify(headers={"authorization": False})
    with pytest.raises(ControlError, match="holds a credential"):
        world.verify(headers={"Authorization": "^Bearer r"})
    with pytest.raises(AssertionError, match="no request like /order/1"):
        world.verify(order=[{"status": 200}, {"status": 200}])
    with pytest.raises(ControlError, match="did you mean 'status'"):
        world.verify(statsu=1)  # type: ignore[call-arg]


def test_a_wait_ends_when_its_condition_holds(world: World) -> None:
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


def test_a_wait_whose_condition_never_holds_ends_with_an_error(world: World) -> None:
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


def test_the_error_of_a_wait_says_what_came_instead(world: World) -> None:
    create(world, model="nobody's")
    told = f"the nearest: POST {GENERATIONS} 400 .status is 400, not 200."
    with pytest.raises(
        ControlError, match=f"nothing of the kind within 0 s: 1 request came, {told}"
    ):
        world.wait_for_request(status=200, timeout_s=0)
    with pytest.raises(ControlError, match="in 1 s of the world's clock.*frozen: advance it"):
        world.wait_for_task(task_id(world), timeout_s=0)


def test_a_wait_for_the_impossible_ends_at_once(world: World) -> None:
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


def test_an_inbox_shows_requests_and_the_verdict_on_their_signatures(world: World) -> None:
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
