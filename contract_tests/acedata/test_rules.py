"""AceData's rules together: any order of submissions, looks, batches and time, against a model.

The model: per task whose it is, what was sent, and what was last seen of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from contract_tests.acedata.videos import (
    IMAGE,
    IMAGE_URL,
    RULE,
    TEXT,
    ask,
    batch,
    order,
    retrieve,
)
from contract_tests.exchange import Exchange
from contract_tests.machine import run_machine
from contract_tests.refusals import require_refusal, require_success
from contract_tests.run import Run
from contract_tests.target import Target
from contract_tests.verdicts import Require

_NOBODYS = "00000000-0000-4000-8000-000000000000"
_NOBODY_LISTENS = "http://127.0.0.1:9/callback"
_BODIES: tuple[dict[str, Any], ...] = (
    order(**{"async": True}),
    order(callback_url=_NOBODY_LISTENS),
    order(callback_url=_NOBODY_LISTENS, **{"async": True}),
    order(model=TEXT, **{"async": True}),
    order(model=IMAGE, first_image_url=IMAGE_URL, **{"async": True}),
)
_CONSTANT = ("id", "_id", "created_at", "trace_id", "request", "api_id", "application_id")


class Rules(RuleBasedStateMachine):
    """Two accounts that submit, look and wait."""

    tasks: Bundle[str] = Bundle("tasks")

    def __init__(self, target: Target, require: Require) -> None:
        super().__init__()
        self.target, self.require = target, require
        self.owner: dict[str, str] = {}
        self.sent: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}

    @rule(target=tasks, who=st.sampled_from(["own", "second"]), body=st.sampled_from(_BODIES))
    def submit(self, who: str, body: dict[str, Any]) -> str:
        """A submission: always a task of its own."""
        answer = ask(self.target.caller("acedata", who), body)
        shown = require_success(self.require, RULE + "takes-what-is-valid", answer)
        task_id: str = shown["task_id"]
        self.require(
            RULE + "equal-requests-two-tasks", task_id not in self.owner, expected="a new id",
            got=task_id, by=answer,
        )  # fmt: skip
        self.owner[task_id], self.sent[task_id] = who, body
        return task_id

    @rule(task_id=tasks, who=st.sampled_from(["own", "second"]))
    def look(self, task_id: str, who: str) -> None:
        """A look, by the owner or by a stranger."""
        answer = retrieve(self.target.caller("acedata", who), task_id)
        if who == self.owner[task_id]:
            self._see(task_id, answer, answer.json)
        else:
            rule = RULE + "foreign-as-unknown"
            require_refusal(self.require, "acedata", answer, "task_not_found", rule)

    @rule(
        who=st.sampled_from(["own", "second"]),
        task_ids=st.lists(tasks, min_size=1, max_size=4),
        with_unknown=st.booleans(),
    )
    def look_at_several(self, who: str, task_ids: list[str], *, with_unknown: bool) -> None:
        """A batch: the account's tasks among those named, each once, in the order named."""
        ids = [_NOBODYS, *task_ids] if with_unknown else task_ids
        answer = batch(self.target.caller("acedata", who), ids)
        shown = require_success(self.require, RULE + "batch-in-order", answer)
        expected = [each for each in dict.fromkeys(task_ids) if self.owner[each] == who]
        got = [item["id"] for item in shown["items"]]
        for name in ("batch-in-order", "batch-leaves-out-unknown"):
            self.require(RULE + name, got == expected, expected=expected, got=got, by=answer)
        count = shown["count"]
        self.require(
            RULE + "batch-in-order", count == len(got), expected=len(got), got=count, by=answer
        )
        for task_id, item in zip(got, shown["items"], strict=True):
            self._see(task_id, answer, item)

    def _see(self, task_id: str, answer: Exchange, task: Any) -> None:
        """What is seen now must agree with what was sent, and with what was seen before."""
        body = self.sent[task_id]
        self.require(
            RULE + "request-is-echoed", task.get("request") == body, expected=body,
            got=task.get("request"), by=answer,
        )  # fmt: skip
        was = self.seen.get(task_id)
        if was is not None:
            for name in _CONSTANT:
                same = task.get(name) == was.get(name)
                self.require(
                    RULE + "done-stays-done", same, expected=was.get(name), got=task.get(name),
                    by=answer,
                )  # fmt: skip
            if was.get("response"):
                self.require(
                    RULE + "done-stays-done", task == was, expected=was, got=task, by=answer
                )
        self.seen[task_id] = task

    @rule(seconds=st.sampled_from([0.05, 0.2, 0.8, 1.5]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.target.time.pass_s(seconds)


_HELD = tuple(
    RULE + name
    for name in (
        "takes-what-is-valid", "equal-requests-two-tasks", "foreign-as-unknown", "batch-in-order",
        "batch-leaves-out-unknown", "request-is-echoed", "done-stays-done",
    )
)  # fmt: skip


def _machine(target: Target, require: Require) -> Callable[[], Rules]:
    return lambda: Rules(target, require)


@pytest.mark.rank(4)
@pytest.mark.full
@pytest.mark.price(TEXT, count=400)
@pytest.mark.needs("second")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_in_any_order(run: Run, target: Target, require: Require) -> None:
    run_machine(_machine(target, require), quick=run.options.quick)


@pytest.mark.rank(4)
@pytest.mark.deep
@pytest.mark.full
@pytest.mark.needs("second", "variant flaky")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_where_every_other_video_fails(run: Run, require: Require) -> None:
    run_machine(_machine(run.variant("flaky"), require), quick=run.options.quick)
