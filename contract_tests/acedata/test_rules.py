"""Checks AceData's rules in random sequences of creates, reads and time, against a model.

The model has for each task its account, the request, and the task as it was last shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from contract_tests.acedata.rules import (
    IMAGE,
    IMAGE_URL,
    RULE,
    TEXT,
    UNKNOWN_ID,
    UNREACHABLE_URL,
    known,
    require_equal,
)
from contract_tests.acedata.videos import create, request_body, retrieve, retrieve_batch
from contract_tests.exchange import Exchange
from contract_tests.requirements import require_refusal, require_success
from contract_tests.run import Run
from contract_tests.state_machines import run_state_machine
from contract_tests.target import Target
from contract_tests.verdicts import Require

pytestmark = [pytest.mark.rank(4), pytest.mark.full]

_BODIES: tuple[dict[str, Any], ...] = (
    request_body(**{"async": True}),
    request_body(callback_url=UNREACHABLE_URL),
    request_body(callback_url=UNREACHABLE_URL, **{"async": True}),
    request_body(model=TEXT, **{"async": True}),
    request_body(model=IMAGE, first_image_url=IMAGE_URL, **{"async": True}),
)
_CONSTANT = ("id", "_id", "created_at", "trace_id", "request", "api_id", "application_id")


class AceDataMachine(RuleBasedStateMachine):
    """Two accounts that create tasks, read them and wait."""

    tasks: Bundle[str] = Bundle("tasks")

    def __init__(self, target: Target, require: Require) -> None:
        super().__init__()
        self.target, self.require = target, require
        self.owner: dict[str, str] = {}
        self.sent: dict[str, Any] = {}
        self.last_shown: dict[str, Any] = {}

    @rule(target=tasks, who=st.sampled_from(["own", "second"]), body=st.sampled_from(_BODIES))
    def submit(self, who: str, body: dict[str, Any]) -> str:
        """Create a task. It is never one that exists."""
        answer = create(self.target.caller("acedata", who), body)
        shown = require_success(self.require, RULE + "takes-what-is-valid", answer)
        task_id: str = shown["task_id"]
        self.require(
            RULE + "equal-requests-two-tasks", task_id not in self.owner, expected="a new id",
            got=task_id, by=answer,
        )  # fmt: skip
        self.owner[task_id], self.sent[task_id] = who, body
        return task_id

    @rule(task_id=tasks, who=st.sampled_from(["own", "second"]))
    def read(self, task_id: str, who: str) -> None:
        """Read a task as its owner or as another account."""
        answer = retrieve(self.target.caller("acedata", who), task_id)
        if who == self.owner[task_id]:
            self._compare(task_id, answer, answer.json)
        else:
            rule = RULE + "foreign-as-unknown"
            require_refusal(self.require, "acedata", answer, "task_not_found", rule)

    @rule(
        who=st.sampled_from(["own", "second"]),
        task_ids=st.lists(tasks, min_size=1, max_size=4),
        with_unknown=st.booleans(),
    )
    def read_several(self, who: str, task_ids: list[str], *, with_unknown: bool) -> None:
        """Read several tasks: the account's own, each once, in the order of the ids."""
        ids = [UNKNOWN_ID, *task_ids] if with_unknown else task_ids
        answer = retrieve_batch(self.target.caller("acedata", who), ids)
        shown = require_success(self.require, RULE + "batch-in-order", answer)
        expected = [each for each in dict.fromkeys(task_ids) if self.owner[each] == who]
        got = [item["id"] for item in shown["items"]]
        for name in ("batch-in-order", "batch-leaves-out-unknown"):
            require_equal(self.require, name, got, expected, answer)
        count = shown["count"]
        require_equal(self.require, "batch-in-order", count, len(got), answer)
        for task_id, item in zip(got, shown["items"], strict=True):
            self._compare(task_id, answer, item)

    def _compare(self, task_id: str, answer: Exchange, task: Any) -> None:
        """Require that a task agrees with its request, and with itself as it was shown before."""
        body = self.sent[task_id]
        require_equal(self.require, "request-is-echoed", task.get("request"), body, answer)
        was = self.last_shown.get(task_id)
        if was is not None:
            for name in _CONSTANT:
                same = task.get(name) == was.get(name)
                self.require(
                    RULE + "done-stays-done", same, expected=was.get(name), got=task.get(name),
                    by=answer,
                )  # fmt: skip
            if was.get("response"):
                require_equal(self.require, "done-stays-done", known(task), known(was), answer)
        self.last_shown[task_id] = task

    @rule(seconds=st.sampled_from([0.05, 0.2, 0.8, 1.5]))
    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.target.clock.advance(seconds)


_HELD = tuple(
    RULE + name
    for name in (
        "takes-what-is-valid", "equal-requests-two-tasks", "foreign-as-unknown", "batch-in-order",
        "batch-leaves-out-unknown", "request-is-echoed", "done-stays-done",
    )
)  # fmt: skip


def _machine(target: Target, require: Require) -> Callable[[], AceDataMachine]:
    return lambda: AceDataMachine(target, require)


@pytest.mark.price(TEXT, count=400)
@pytest.mark.needs("second")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_in_any_order(run: Run, target: Target, require: Require) -> None:
    run_state_machine(_machine(target, require), quick=run.options.quick)


@pytest.mark.deep
@pytest.mark.price(TEXT, count=400)
@pytest.mark.needs("second", "variant flaky")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_where_every_other_video_fails(run: Run, require: Require) -> None:
    run_state_machine(_machine(run.variant("flaky"), require), quick=run.options.quick)
