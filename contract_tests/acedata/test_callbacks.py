"""Checks of callbacks, which the suite receives."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.acedata.rules import RULE, TEXT, require_equal
from contract_tests.acedata.videos import create, poll_to_the_end, request_body, retrieve
from contract_tests.receiver import Receiver
from contract_tests.requirements import require_success, require_valid
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(3)

LATER_S = 3600


@pytest.mark.price(TEXT, count=2)
@pytest.mark.needs("receiver")
@pytest.mark.holds(
    RULE + "callback-comes-once", RULE + "callback-is-the-result", RULE + "async-with-callback",
    RULE + "task-ends-before-the-call", RULE + "not-signed", RULE + "one-trace",
    RULE + "callback-answers-at-once", "acedata.VideoRequest.callback_url",
)  # fmt: skip
@pytest.mark.parametrize("extra", [{}, {"async": True}], ids=["callback", "with-async"])
def test_the_end_of_a_video_is_called_back_once(
    acedata: Caller, receiver: Receiver, extra: dict[str, Any], require: Require
) -> None:
    inbox, clock = receiver.inbox(), acedata.target.clock
    accepted = create(acedata, request_body(callback_url=inbox.url, **extra))
    task_id = require_success(require, RULE + "callback-answers-at-once", accepted)["task_id"]
    rule = "async-with-callback" if extra else "callback-comes-once"
    require(RULE + rule, not inbox.requests, expected="no call before the end", got=inbox.requests)
    received = inbox.wait(1, clock)
    require(RULE + rule, len(received) == 1, expected="one POST", got=len(received), by=accepted)
    request = received[0]
    media_type = request.headers.get("content-type", "").partition(";")[0]
    named_task = isinstance(request.json, dict) and request.json.get("task_id")
    got, expected = (request.method, media_type, named_task), ("POST", "application/json", task_id)
    require_equal(require, "callback-comes-once", got, expected, accepted)
    require_valid(require, RULE + "callback-is-the-result", request, "VideoResult")
    signed = [name for name in request.headers if "signature" in name]
    require(RULE + "not-signed", not signed, expected="no signature", got=signed, by=accepted)
    poll = retrieve(acedata, task_id)
    require_equal(require, "task-ends-before-the-call", bool(poll.json["response"]), True, poll)
    require_equal(require, "one-trace", request.json["trace_id"], poll.json["trace_id"], poll)
    result = {name: poll.json["response"][name] for name in ("success", "task_id", "trace_id")}
    require_equal(require, "callback-is-the-result", request.json | result, request.json, poll)
    clock.advance(LATER_S if clock.is_controlled else 1)
    require_equal(require, "callback-comes-once", len(inbox.requests), 1, poll)


@pytest.mark.price(TEXT)
@pytest.mark.needs("variant failing", "receiver")
@pytest.mark.holds(RULE + "callback-of-failure", "acedata.VideoFailure*")
def test_a_failure_is_called_back_as_one(run: Run, receiver: Receiver, require: Require) -> None:
    caller, inbox = run.variant("failing").caller("acedata"), receiver.inbox()
    accepted = create(caller, request_body(callback_url=inbox.url))
    received = inbox.wait(1, caller.target.clock)
    rule = "callback-of-failure"
    require(RULE + rule, len(received) == 1, expected="one POST", got=len(received), by=accepted)
    require_valid(require, RULE + rule, received[0], "VideoFailure")
    got = received[0].json.get("task_id")
    require_equal(require, rule, got, accepted.json["task_id"], accepted)
    for name in ("success", "task_id", "trace_id", "error", "error.code", "error.message"):
        require(f"acedata.VideoFailure.{name}", True, expected=name, got=name)


@pytest.mark.price(TEXT)
@pytest.mark.needs("receiver")
@pytest.mark.holds(RULE + "callback-cannot-harm")
def test_a_receiver_that_refuses_harms_no_task(
    acedata: Caller, receiver: Receiver, require: Require
) -> None:
    inbox = receiver.inbox(500)
    task_id = create(acedata, request_body(callback_url=inbox.url)).json["task_id"]
    inbox.wait(1, acedata.target.clock)
    done = poll_to_the_end(acedata, require, task_id)[-1]
    require_equal(require, "callback-cannot-harm", done.json["response"].get("success"), True, done)
