"""Rivya's rules together: any order of creates, replays, looks, uploads and time, against a model.

The model: per account one number, per generation what was seen of it, per Idempotency-Key the body
and the generation it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from contract_tests.exchange import Exchange
from contract_tests.machine import run_machine
from contract_tests.operations import PNG
from contract_tests.refusals import require_refusal, require_success
from contract_tests.rivya.generations import CHEAP, DEAR, Life, create, credits_of, look, order
from contract_tests.rivya.test_files import JPEG, upload
from contract_tests.run import Run
from contract_tests.target import Target
from contract_tests.verdicts import Require

RULE = "rivya.rule."
_BODIES = (
    order(CHEAP),
    order(DEAR),
    order(CHEAP, client_request_id="trace"),
    order(CHEAP, params={"duration": "10"}),
)
_ALL_ENDED_S = 1.2  # as the fake has it; elsewhere this is too dear to be run at all
_scenarios = count(1)


class Rules(RuleBasedStateMachine):
    """Two accounts that ask, ask again, look and wait."""

    generations: Bundle[str] = Bundle("generations")
    files: Bundle[str] = Bundle("files")

    def __init__(self, target: Target, run: Run, require: Require) -> None:
        super().__init__()
        self.target, self.require, self.prices = target, require, run.prices
        self.scenario = f"check-{run.nonce}-{next(_scenarios)}"
        self.lives: dict[str, Life] = {}
        self.owner: dict[str, str] = {}
        self.by_key: dict[tuple[str, str], tuple[Any, str]] = {}
        self.balance: dict[str, float] = {}
        self.stored: dict[str, Any] = {}

    @initialize()
    def look_at_the_balances(self) -> None:
        """What everybody has before the first step, once what ran before has ended."""
        self.target.time.pass_s(_ALL_ENDED_S)
        for who in ("own", "second"):
            self.balance[who] = credits_of(self.target.caller("rivya", who), self.require)

    # --- steps ---

    @rule(
        target=generations,
        who=st.sampled_from(["own", "second"]),
        body=st.sampled_from(_BODIES),
        key=st.sampled_from([None, "k1", "k2"]),
    )
    def ask(self, who: str, body: dict[str, Any], key: str | None) -> str:
        """A create: new, the same again, or in conflict with what the key stands for."""
        sent = key and f"{self.scenario}-{key}"
        answer = create(self.target.caller("rivya", who), body, key=sent)
        known = self.by_key.get((who, key)) if key else None
        if known is not None and known[0] != body:
            require_refusal(
                self.require, "rivya", answer, "idempotency_conflict",
                RULE + "other-body-conflicts",
            )  # fmt: skip
            return known[1]
        shown = require_success(self.require, RULE + "takes-what-is-valid", answer)
        if known is not None:
            self._same(answer, known[1])
            return known[1]
        return self._new(who, body, key, answer, shown)

    def _new(
        self, who: str, body: dict[str, Any], key: str | None, answer: Exchange, shown: Any
    ) -> str:
        task_id: str = shown["id"]
        fresh = task_id not in self.lives
        self.require(RULE + "ids-differ", fresh, expected="a new id", got=task_id, by=answer)
        price = self.prices.of("rivya", body["model"])
        reserved = shown["reserved_credits"]
        self.require(
            RULE + "reserves-the-price", reserved == price, expected=price, got=reserved, by=answer
        )
        self.owner[task_id] = who
        self.lives[task_id] = Life(self.require)
        self.lives[task_id].see(answer)
        if key:
            self.by_key[who, key] = (body, task_id)
        return task_id

    def _same(self, answer: Exchange, task_id: str) -> None:
        got = answer.json["id"]
        self.require(
            RULE + "replay-is-one-task", got == task_id, expected=task_id, got=got, by=answer
        )
        self.lives[task_id].see(answer)

    @rule(task_id=generations, who=st.sampled_from(["own", "second"]))
    def see(self, task_id: str, who: str) -> None:
        """A look, by the owner or by a stranger."""
        answer = look(self.target.caller("rivya", who), task_id)
        if who == self.owner[task_id]:
            self.lives[task_id].see(answer)
        else:
            rule = RULE + "foreign-as-unknown"
            require_refusal(self.require, "rivya", answer, "not_found", rule)

    @rule(seconds=st.sampled_from([0.05, 0.2, 0.8, 1.5]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.target.time.pass_s(seconds)

    @rule(who=st.sampled_from(["own", "second"]))
    def count_the_credits(self, who: str) -> None:
        """The balance is what it was, less what was asked for, plus what failed."""
        mine = [task_id for task_id, owner in self.owner.items() if owner == who]
        states = self._states(who, mine)
        now = credits_of(self.target.caller("rivya", who), self.require)
        by = self.target.door.last
        if self._states(who, mine) != states:
            return  # one of them ended between two looks; there will be another time
        failed = [task_id for task_id in mine if states[task_id] == "failed"]
        spent = sum(self.lives[task_id].last["reserved_credits"] for task_id in mine)
        back = sum(self.lives[task_id].last["reserved_credits"] for task_id in failed)
        expected = self.balance[who] - spent + back
        for name in ("create-takes-the-price", "failure-gives-back", "replay-is-one-charge"):
            self.require(RULE + name, now == expected, expected=expected, got=now, by=by)

    def _states(self, who: str, task_ids: list[str]) -> dict[str, str]:
        asker = self.target.caller("rivya", who)
        for task_id in task_ids:
            self.lives[task_id].see(look(asker, task_id))
        return {task_id: self.lives[task_id].last["status"] for task_id in task_ids}

    @rule(target=files, content=st.sampled_from([PNG, JPEG]))
    def store(self, content: bytes) -> str:
        """An upload."""
        answer = upload(self.target.caller("rivya"), content)
        stored = require_success(self.require, RULE + "takes-what-is-valid", answer)
        self.stored[stored["id"]] = stored
        file_id: str = stored["id"]
        return file_id

    @rule(file_id=files, who=st.sampled_from(["own", "second"]))
    def see_file(self, file_id: str, who: str) -> None:
        """A look at an upload, by its owner or by a stranger."""
        answer = self.target.caller("rivya", who).get(f"/files/{file_id}")
        if who == "own":
            stored = self.stored[file_id]
            self.require(
                RULE + "upload-is-read-back", answer.json == stored, expected=stored,
                got=answer.json, by=answer,
            )  # fmt: skip
        else:
            rule = RULE + "foreign-file-as-unknown"
            require_refusal(self.require, "rivya", answer, "not_found", rule)


_HELD = tuple(
    RULE + name
    for name in (
        "other-body-conflicts", "takes-what-is-valid", "ids-differ", "reserves-the-price",
        "replay-is-one-task", "replay-is-one-charge", "foreign-as-unknown", "failure-gives-back",
        "create-takes-the-price", "states-go-forward", "terminal-stays", "updated-moves-forward",
        "same-object-everywhere", "upload-is-read-back", "foreign-file-as-unknown",
    )
)  # fmt: skip


def _machine(run: Run, target: Target, require: Require) -> Callable[[], Rules]:
    return lambda: Rules(target, run, require)


@pytest.mark.rank(4)
@pytest.mark.full
@pytest.mark.price(DEAR, count=400)
@pytest.mark.needs("second")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_in_any_order(run: Run, target: Target, require: Require) -> None:
    run_machine(_machine(run, target, require), quick=run.options.quick)


@pytest.mark.rank(4)
@pytest.mark.deep
@pytest.mark.full
@pytest.mark.needs("second", "variant flaky")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_where_every_other_generation_fails(run: Run, require: Require) -> None:
    run_machine(_machine(run, run.variant("flaky"), require), quick=run.options.quick)
