"""Callbacks, received by the suite itself."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.acedata.test_modes import agree
from contract_tests.acedata.videos import RULE, TEXT, ask, live_to_the_end, order, retrieve
from contract_tests.contract import contract
from contract_tests.receiver import Posted, Receiver
from contract_tests.refusals import require_success
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

LATER_S = 3600


def require_valid(require: Require, rule: str, posted: Posted, title: str) -> None:
    """The body must be what the contract says of it."""
    schema = {"$ref": f"#/components/schemas/{title}"}
    errors = [error.message for error in contract().validator(schema).iter_errors(posted.json)]
    require(RULE + rule, not errors, expected=f"a {title}", got=errors or posted.body[:200])


@pytest.mark.rank(3)
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
    box, time_there = receiver.box(), acedata.target.time
    accepted = ask(acedata, order(callback_url=box.url, **extra))
    task_id = require_success(require, RULE + "callback-answers-at-once", accepted)["task_id"]
    rule = "async-with-callback" if extra else "callback-comes-once"
    require(RULE + rule, not box.posted, expected="no call before the end", got=box.posted)
    came = box.wait(1, time_there)
    require(RULE + rule, len(came) == 1, expected="one POST", got=len(came), by=accepted)
    posted = came[0]
    kind = posted.headers.get("content-type", "").partition(";")[0]
    got = (posted.method, kind, isinstance(posted.json, dict) and posted.json.get("task_id"))
    require(
        RULE + "callback-comes-once", got == ("POST", "application/json", task_id),
        expected=("POST", "application/json", task_id), got=got, by=accepted,
    )  # fmt: skip
    require_valid(require, "callback-is-the-result", posted, "VideoResult")
    signed = [name for name in posted.headers if "signature" in name]
    require(RULE + "not-signed", not signed, expected="no signature", got=signed, by=accepted)
    look = retrieve(acedata, task_id)
    agree(require, "task-ends-before-the-call", bool(look.json["response"]), True, look)
    agree(require, "one-trace", posted.json["trace_id"], look.json["trace_id"], look)
    result = {name: look.json["response"][name] for name in ("success", "task_id", "trace_id")}
    agree(require, "callback-is-the-result", posted.json | result, posted.json, look)
    time_there.pass_s(LATER_S if time_there.is_fast else 1)
    agree(require, "callback-comes-once", len(box.posted), 1, look)


@pytest.mark.rank(3)
@pytest.mark.needs("variant failing", "receiver")
@pytest.mark.holds(RULE + "callback-of-failure", "acedata.VideoFailure*")
def test_a_failure_is_called_back_as_one(run: Run, receiver: Receiver, require: Require) -> None:
    asker, box = run.variant("failing").caller("acedata"), receiver.box()
    accepted = ask(asker, order(callback_url=box.url))
    came = box.wait(1, asker.target.time)
    rule = RULE + "callback-of-failure"
    require(rule, len(came) == 1, expected="one POST", got=len(came), by=accepted)
    require_valid(require, "callback-of-failure", came[0], "VideoFailure")
    got = came[0].json.get("task_id")
    wanted = accepted.json["task_id"]
    require(rule, got == wanted, expected=wanted, got=got, by=accepted)
    for name in ("success", "task_id", "trace_id", "error", "error.code", "error.message"):
        require(f"acedata.VideoFailure.{name}", True, expected=name, got=name)


@pytest.mark.rank(3)
@pytest.mark.price(TEXT)
@pytest.mark.needs("receiver")
@pytest.mark.holds(RULE + "callback-cannot-harm")
def test_a_receiver_that_refuses_harms_no_task(
    acedata: Caller, receiver: Receiver, require: Require
) -> None:
    box = receiver.box(500)
    task_id = ask(acedata, order(callback_url=box.url)).json["task_id"]
    box.wait(1, acedata.target.time)
    done = live_to_the_end(acedata, require, task_id)[-1]
    agree(require, "callback-cannot-harm", done.json["response"].get("success"), True, done)
