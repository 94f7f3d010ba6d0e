"""Checks Rivya's rules in random sequences of creates, replays, reads and time, against a model.

The model has the balance of each account, the answers about each generation, and the body and the
generation of each Idempotency-Key.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from contract_tests.exchange import Exchange
from contract_tests.operations import PNG
from contract_tests.requirements import require_refusal, require_success
from contract_tests.rivya.generations import History, create, credits_of, read, request_body
from contract_tests.rivya.rules import CHEAP, DEAR, RULE, require_equal
from contract_tests.rivya.test_files import JPEG, shape, upload
from contract_tests.run import Run
from contract_tests.state_machines import run_state_machine
from contract_tests.target import Target
from contract_tests.verdicts import Require

pytestmark = [pytest.mark.rank(4), pytest.mark.full]

_BODIES = (
    request_body(CHEAP),
    request_body(DEAR),
    request_body(CHEAP, client_request_id="trace"),
    request_body(CHEAP, params={"duration": "10"}),
)
_TASK_LIFE_S = (
    1.2  # the life of a task on the fake; on other servers this check costs too much to run
)
_numbers = count(1)


class RivyaMachine(RuleBasedStateMachine):
    """Two accounts that create generations, repeat creates, read and wait."""

    generations: Bundle[str] = Bundle("generations")
    files: Bundle[str] = Bundle("files")

    def __init__(self, target: Target, run: Run, require: Require) -> None:
        super().__init__()
        self.target, self.require, self.prices = target, require, run.prices
        self.key_prefix = f"check-{run.nonce}-{next(_numbers)}"
        self.histories: dict[str, History] = {}
        self.owner: dict[str, str] = {}
        self.by_key: dict[tuple[str, str], tuple[Any, str]] = {}
        self.balance: dict[str, float] = {}
        self.stored: dict[str, Any] = {}

    @initialize()
    def read_balances(self) -> None:
        """Keep the balances once all earlier generations have ended."""
        self.target.clock.advance(_TASK_LIFE_S)
        for who in ("own", "second"):
            self.balance[who] = credits_of(self.target.caller("rivya", who), self.require)

    # --- steps ---

    @rule(
        target=generations,
        who=st.sampled_from(["own", "second"]),
        body=st.sampled_from(_BODIES),
        key=st.sampled_from([None, "k1", "k2"]),
    )
    def create(self, who: str, body: dict[str, Any], key: str | None) -> str:
        """Send a create: a new one, a replay, or one that conflicts with its key."""
        sent = key and f"{self.key_prefix}-{key}"
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
            self._check_replay(answer, known[1])
            return known[1]
        return self._add_generation(who, body, key, answer, shown)

    def _add_generation(
        self, who: str, body: dict[str, Any], key: str | None, answer: Exchange, shown: Any
    ) -> str:
        task_id: str = shown["id"]
        fresh = task_id not in self.histories
        self.require(RULE + "ids-differ", fresh, expected="a new id", got=task_id, by=answer)
        price = self.prices.of("rivya", body["model"])
        reserved = shown["reserved_credits"]
        require_equal(self.require, "reserves-the-price", reserved, price, answer)
        self.owner[task_id] = who
        self.histories[task_id] = History(self.require)
        self.histories[task_id].add(answer)
        if key:
            self.by_key[who, key] = (body, task_id)
        return task_id

    def _check_replay(self, answer: Exchange, task_id: str) -> None:
        got = answer.json["id"]
        require_equal(self.require, "replay-is-one-task", got, task_id, answer)
        if self.target.is_fake:  # a service may repeat its first answer, with the state of then
            self.histories[task_id].add(answer)

    @rule(task_id=generations, who=st.sampled_from(["own", "second"]))
    def read(self, task_id: str, who: str) -> None:
        """Read a generation as its owner or as another account."""
        answer = read(self.target.caller("rivya", who), task_id)
        if who == self.owner[task_id]:
            self.histories[task_id].add(answer)
        else:
            rule = RULE + "foreign-as-unknown"
            require_refusal(self.require, "rivya", answer, "not_found", rule)

    @rule(seconds=st.sampled_from([0.05, 0.2, 0.8, 1.5]))
    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.target.clock.advance(seconds)

    @rule(who=st.sampled_from(["own", "second"]))
    def check_balance(self, who: str) -> None:
        """Require the first balance, less the prices of all creates, plus those that failed."""
        mine = [task_id for task_id, owner in self.owner.items() if owner == who]
        states = self._states(who, mine)
        now = credits_of(self.target.caller("rivya", who), self.require)
        by = self.target.transport.last
        if self._states(who, mine) != states:
            return  # one of them ended between the two reads
        failed = [task_id for task_id in mine if states[task_id] == "failed"]
        prices = {task_id: self.histories[task_id].last["reserved_credits"] for task_id in mine}
        kept_credits = sum(prices.values()) - sum(prices[task_id] for task_id in failed)
        expected = self.balance[who] - kept_credits
        for name in ("create-takes-the-price", "failure-gives-back", "replay-is-one-charge"):
            require_equal(self.require, name, now, expected, by)

    def _states(self, who: str, task_ids: list[str]) -> dict[str, str]:
        caller = self.target.caller("rivya", who)
        for task_id in task_ids:
            self.histories[task_id].add(read(caller, task_id))
        return {task_id: self.histories[task_id].last["status"] for task_id in task_ids}

    @rule(target=files, content=st.sampled_from([PNG, JPEG]))
    def upload(self, content: bytes) -> str:
        """Upload a file."""
        answer = upload(self.target.caller("rivya"), content)
        stored = require_success(self.require, RULE + "takes-what-is-valid", answer)
        self.stored[stored["id"]] = shape(stored)
        file_id: str = stored["id"]
        return file_id

    @rule(file_id=files, who=st.sampled_from(["own", "second"]))
    def read_file(self, file_id: str, who: str) -> None:
        """Read an upload as its owner or as another account."""
        answer = self.target.caller("rivya", who).get(f"/files/{file_id}")
        if who == "own":
            stored = self.stored[file_id]
            require_equal(self.require, "upload-is-read-back", shape(answer.json), stored, answer)
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


def _machine(run: Run, target: Target, require: Require) -> Callable[[], RivyaMachine]:
    return lambda: RivyaMachine(target, run, require)


@pytest.mark.price(DEAR, count=400)
@pytest.mark.needs("second")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_in_any_order(run: Run, target: Target, require: Require) -> None:
    run_state_machine(_machine(run, target, require), quick=run.options.quick)


@pytest.mark.deep
@pytest.mark.price(DEAR, count=400)
@pytest.mark.needs("second", "variant flaky")
@pytest.mark.holds(*_HELD)
def test_the_rules_hold_where_every_other_generation_fails(run: Run, require: Require) -> None:
    run_state_machine(_machine(run, run.variant("flaky"), require), quick=run.options.quick)
