"""A world compared with a model: tasks, credits, keys and time together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mock_server.core.agenda import Due, Occasion
from mock_server.core.clock import Clock
from mock_server.core.effects import TaskFault
from mock_server.core.faults import FaultRule
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.ids import TaskId
from mock_server.core.ledger import Balance
from mock_server.core.lifecycle import USUAL_REASON, FailureReason, TaskEvent, TaskState
from mock_server.core.refusals import (
    IdempotencyMismatch,
    IdempotencyRunning,
    InsufficientCredits,
    Invalid,
)
from mock_server.core.tasks import Order, Task
from mock_server.core.world import World, WorldRules
from tests.core.worlds import make_world, store_image

START_MS = 1_000_000
LIFETIME_MS = 5_000
CREDITS = {"ada": 150, "ben": 20}
RANK = {
    TaskState.QUEUED: 0,
    TaskState.PROCESSING: 1,
    TaskState.SUCCEEDED: 2,
    TaskState.FAILED: 2,
}


def order(account: str = "ada", price: int = 57, *, api: str = "rivya") -> Order:
    return Order(api, account, "key", "hailuo-pro", price, b"{}", "http://mock.test")


def key(value: str = "k", body: bytes = b"body", *, account: str = "ada") -> IdempotencyKey:
    return IdempotencyKey(account, "createGeneration", value, body)


def make(
    *,
    seed: int = 1,
    queued_ms: int = 200,
    processing_ms: int = 800,
    failure_rate: float = 0.0,
    ada: int = 150,
) -> World:
    """A world on a frozen clock, in which only ada and ben have credits."""
    rules = WorldRules(
        queued_ms=queued_ms,
        processing_ms=processing_ms,
        failure_rate=failure_rate,
        idempotency_lifetime_ms=LIFETIME_MS,
        stored_upload_bytes=100,
        journal_exchanges=2,
    )
    clock = Clock(lambda: 0, start_ms=START_MS, frozen=True)
    credits_of = CREDITS | {"ada": ada}
    task_ids: dict[str, TaskId] = {"acedata": lambda ids, number: ids.uuid("task", number)}
    return make_world(
        "w",
        seed=seed,
        clock=clock,
        rules=rules,
        credits_of=credits_of,
        keys=(),
        task_ids=task_ids,
    )


@dataclass
class Known:
    """The model of a task; ended: whether a catch_up has applied its end."""

    task: Task
    account: str
    price: int
    created_ms: int
    last_seen: TaskState = TaskState.QUEUED
    ended: bool = False


@dataclass
class KeptKey:
    """The model of an idempotency key."""

    body: bytes
    task: Task
    kept_ms: int


class WorldRulesHold(RuleBasedStateMachine):
    """A model: a list of tasks with price and times, and the keys that they were made with."""

    @initialize(
        seed=st.integers(0, 3),
        failure_rate=st.sampled_from([0.0, 0.5, 1.0]),
        queued_ms=st.sampled_from([0, 200]),
        processing_ms=st.sampled_from([0, 800]),
    )
    def begin(self, seed: int, failure_rate: float, queued_ms: int, processing_ms: int) -> None:
        self.failure_rate = failure_rate
        self.queued_ms = queued_ms
        self.ends_after_ms = queued_ms + processing_ms
        self.world = make(
            seed=seed,
            queued_ms=queued_ms,
            processing_ms=processing_ms,
            failure_rate=failure_rate,
        )
        self.now_ms = START_MS
        self.known: dict[str, Known] = {}
        self.keys: dict[tuple[str, str], KeptKey] = {}
        self.running: set[tuple[str, str]] = set()
        self.caught_up_ms = START_MS
        self.applied: list[Due] = []

    def held(self, account: str) -> int:
        return sum(k.price for k in self.known.values() if k.account == account and not k.ended)

    def spent(self, account: str) -> int:
        done = [k for k in self.known.values() if k.account == account and k.ended]
        return sum(k.price for k in done if self.world.state_of(k.task) is TaskState.SUCCEEDED)

    def can_pay(self, account: str, price: int) -> bool:
        return CREDITS[account] - self.held(account) - self.spent(account) >= price

    def learn(self, task: Task, account: str, price: int) -> None:
        assert task.id not in self.known
        self.known[task.id] = Known(task, account, price, self.now_ms)

    @rule(account=st.sampled_from(list(CREDITS)), price=st.sampled_from([0, 7, 30, 57]))
    def submit(self, account: str, price: int) -> None:
        if self.can_pay(account, price):
            self.learn(self.world.submit(order(account, price)), account, price)
        else:
            with pytest.raises(InsufficientCredits):
                self.world.submit(order(account, price))

    @rule(
        account=st.sampled_from(list(CREDITS)),
        value=st.sampled_from(["k1", "k2"]),
        body=st.sampled_from([b"x", b"y"]),
        is_answered=st.booleans(),
    )
    def submit_once(self, account: str, value: str, body: bytes, is_answered: bool) -> None:
        ours, price = (account, value), {b"x": 30, b"y": 7}[body]
        asked, retry_key = order(account, price), key(value, body, account=account)
        kept = self.keys.get(ours)
        if kept is not None and self.now_ms >= kept.kept_ms + LIFETIME_MS:
            kept = None
        if kept is not None and kept.body != body:
            with pytest.raises(IdempotencyMismatch):
                self.world.submit_once(asked, retry_key)
        elif kept is not None and ours in self.running:
            with pytest.raises(IdempotencyRunning):
                self.world.submit_once(asked, retry_key)
        elif kept is not None:
            assert self.world.submit_once(asked, retry_key) == kept.task
        elif not self.can_pay(account, price):
            with pytest.raises(InsufficientCredits):
                self.world.submit_once(asked, retry_key)
        else:
            task = self.world.submit_once(asked, retry_key)
            self.learn(task, account, price)
            self.keys[ours] = KeptKey(body, task, self.now_ms)
            self.running.add(ours)
            if is_answered:
                self.answer(ours)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def answer_one(self, data: st.DataObject) -> None:
        self.answer(data.draw(st.sampled_from(sorted(self.running))))

    def answer(self, ours: tuple[str, str]) -> None:
        account, value = ours
        self.world.idempotency.mark_answered(key(value, account=account))
        self.running.discard(ours)

    @rule(by_ms=st.sampled_from([0, 1, 199, 200, 800, 999, LIFETIME_MS - 1, LIFETIME_MS]))
    def advance(self, by_ms: int) -> None:
        self.world.clock.advance(by_ms)
        self.now_ms += by_ms

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), short_by_ms=st.sampled_from([0, 1]))
    def advance_to_the_end_of_a_key(self, data: st.DataObject, short_by_ms: int) -> None:
        kept = self.keys[data.draw(st.sampled_from(sorted(self.keys)))]
        self.advance(max(0, kept.kept_ms + LIFETIME_MS - short_by_ms - self.now_ms))

    @rule()
    def catch_up(self) -> None:
        happened = self.world.catch_up()
        moments = [due.at_ms for due in happened]
        assert moments == sorted(moments)
        assert all(self.caught_up_ms <= at_ms <= self.now_ms for at_ms in moments)
        assert [*self.applied, *happened] == list(dict.fromkeys([*self.applied, *happened]))
        self.caught_up_ms = self.now_ms
        self.applied += happened
        due_by_now = {due for k in self.known.values() for due in self.timeline(k)}
        assert set(self.applied) == {due for due in due_by_now if due.at_ms <= self.now_ms}
        for known in self.known.values():
            known.ended = self.now_ms >= known.created_ms + self.ends_after_ms

    def timeline(self, known: Known) -> tuple[Due, Due]:
        task_id, created_ms = known.task.id, known.created_ms
        return (
            Due(created_ms + self.queued_ms, Occasion.TASK_TAKEN_UP, task_id),
            Due(created_ms + self.ends_after_ms, Occasion.TASK_ENDS, task_id),
        )

    @invariant()
    def credits_agree_and_are_conserved(self) -> None:
        for account, granted in CREDITS.items():
            held, spent = self.held(account), self.spent(account)
            balance = self.world.ledger.balance(account)
            assert balance == Balance(granted, granted - held - spent, held, spent)
            assert balance.available_credits >= 0

    @invariant()
    def states_follow_from_time_and_random_outcome(self) -> None:
        for known in self.known.values():
            state = self.world.state_of(known.task)
            assert state is known.last_seen or RANK[state] > RANK[known.last_seen]
            assert state in self.possible(self.now_ms - known.created_ms)
            known.last_seen = state

    def possible(self, age_ms: int) -> set[TaskState]:
        if age_ms < self.queued_ms:
            return {TaskState.QUEUED}
        if age_ms < self.ends_after_ms:
            return {TaskState.PROCESSING}
        fails = {TaskState.FAILED} if self.failure_rate > 0 else set()
        return fails | ({TaskState.SUCCEEDED} if self.failure_rate < 1 else set())

    @invariant()
    def every_task_is_known_and_no_other(self) -> None:
        assert len(self.world.tasks) == len(self.known)
        for task_id, known in self.known.items():
            found = self.world.tasks.find(task_id, api="rivya", account=known.account)
            assert found.created_ms == known.created_ms


TestWorldRulesHold = WorldRulesHold.TestCase
TestWorldRulesHold.settings = settings(max_examples=60, stateful_step_count=30)


# --- credits ---


def test_one_of_two_creates_gets_the_last_credits() -> None:
    world = make(ada=57)
    world.submit(order())
    with pytest.raises(InsufficientCredits):
        world.submit(order())
    assert len(world.tasks) == 1
    assert world.ledger.balance("ada") == Balance(57, reserved_credits=57)


def test_a_refused_create_changes_nothing() -> None:
    world = make(ada=56)
    with pytest.raises(InsufficientCredits):
        world.submit(order())
    assert len(world.tasks) == 0
    assert world.agenda.next_ms() is None
    assert world.ledger.balance("ada") == Balance(56, 56)


def test_a_refused_create_does_not_change_the_ids_of_later_tasks() -> None:
    world, calm_world = make(ada=57), make(ada=57)
    with pytest.raises(InsufficientCredits):
        world.submit(order(price=58))
    assert world.submit(order()).id == calm_world.submit(order()).id


def test_a_failed_task_releases_its_credits() -> None:
    world = make(failure_rate=1)
    world.submit(order())
    world.clock.advance(1_000)
    world.catch_up()
    assert world.ledger.balance("ada") == Balance(150, available_credits=150)


def test_credits_are_released_exactly_once() -> None:
    world = make(failure_rate=1)
    task = world.submit(order())
    for _ in range(3):
        world.clock.advance(1_000)
        world.catch_up()
    assert world.ledger.balance("ada").available_credits == 150
    with pytest.raises(KeyError):
        world.ledger.release(task.id)


def test_released_credits_can_be_spent_again() -> None:
    world = make(failure_rate=1, ada=57)
    world.submit(order())
    world.clock.advance(1_000)
    world.catch_up()
    world.submit(order())
    assert world.ledger.balance("ada").reserved_credits == 57


def test_a_successful_task_spends_its_reservation() -> None:
    world = make()
    world.submit(order())
    world.clock.advance(999)
    world.catch_up()
    assert world.ledger.balance("ada") == Balance(150, 93, reserved_credits=57)
    world.clock.advance(1)
    world.catch_up()
    assert world.ledger.balance("ada") == Balance(150, 93, spent_credits=57)


# --- why a task fails ---


@given(st.integers(0, 2**32))
def test_the_seed_decides_why_tasks_fail_by_chance(seed: int) -> None:
    reasons = [
        [world.submit(order(price=1)).planned.reason for _ in range(100)]
        for world in (make(seed=seed, failure_rate=1), make(seed=seed, failure_rate=1))
    ]
    assert reasons[0] == reasons[1]
    assert set(reasons[0]) == set(get_args(FailureReason))


@given(st.none() | st.sampled_from(get_args(FailureReason)), st.booleans())
def test_a_task_ends_with_the_reason_that_is_given_or_as_planned(
    reason: FailureReason | None, is_planned: bool
) -> None:
    world = make()
    if is_planned:
        world.faults.add(FaultRule(effect=TaskFault(outcome="failed", reason="timeout")))
    task = world.submit(order())
    ended = world.finish(task, TaskEvent.BROKE, reason)
    assert ended.planned.reason == (reason or ("timeout" if is_planned else USUAL_REASON))


# --- idempotency ---


def test_a_replay_charges_nothing() -> None:
    world = make()
    task = world.submit_once(order(), key())
    world.idempotency.mark_answered(key())
    assert world.submit_once(order(), key()) == task
    assert len(world.tasks) == 1
    assert world.ledger.balance("ada").reserved_credits == 57


def test_a_replay_needs_no_credits() -> None:
    world = make(ada=57)
    task = world.submit_once(order(), key())
    world.idempotency.mark_answered(key())
    assert world.submit_once(order(), key()) == task


def test_a_replay_shows_the_tasks_present_state() -> None:
    world = make()
    world.submit_once(order(), key())
    world.idempotency.mark_answered(key())
    world.clock.advance(200)
    assert world.state_of(world.submit_once(order(), key())) is TaskState.PROCESSING


def test_the_same_key_with_another_body_changes_nothing() -> None:
    world = make()
    world.submit_once(order(), key())
    with pytest.raises(IdempotencyMismatch):
        world.submit_once(order(price=30), key(body=b"other"))
    assert len(world.tasks) == 1
    assert world.ledger.balance("ada").reserved_credits == 57


def test_the_second_of_two_equal_requests_at_once_is_refused_and_not_charged() -> None:
    world = make()
    world.submit_once(order(), key())
    with pytest.raises(IdempotencyRunning):
        world.submit_once(order(), key())
    assert world.ledger.balance("ada").reserved_credits == 57


def test_a_refused_create_does_not_use_its_key() -> None:
    world = make(ada=30)
    with pytest.raises(InsufficientCredits):
        world.submit_once(order(price=57), key())
    task = world.submit_once(order(price=30), key(body=b"other"))
    assert task.order.price_credits == 30


def test_after_its_lifetime_a_key_makes_a_new_task() -> None:
    world = make()
    first = world.submit_once(order(), key())
    world.idempotency.mark_answered(key())
    world.clock.advance(LIFETIME_MS)
    assert world.submit_once(order(), key()).id != first.id


# --- time and chance ---


def test_catch_up_returns_entries_in_the_order_of_time() -> None:
    world = make()
    first = world.submit(order()).id
    world.clock.advance(300)
    second = world.submit(order()).id
    world.clock.advance(10_000)
    assert world.catch_up() == [
        Due(START_MS + 200, Occasion.TASK_TAKEN_UP, first),
        Due(START_MS + 500, Occasion.TASK_TAKEN_UP, second),
        Due(START_MS + 1_000, Occasion.TASK_ENDS, first),
        Due(START_MS + 1_300, Occasion.TASK_ENDS, second),
    ]


def test_no_entry_is_applied_twice() -> None:
    world = make()
    world.submit(order())
    world.clock.advance(10_000)
    world.catch_up()
    assert world.catch_up() == []
    assert world.agenda.next_ms() is None


def test_one_long_step_and_many_short_ones_have_the_same_result() -> None:
    at_once, bit_by_bit = make(failure_rate=0.5), make(failure_rate=0.5)
    for world in (at_once, bit_by_bit):
        for _ in range(10):
            world.submit(order(price=3))
    at_once.clock.advance(1_000)
    effects = at_once.catch_up()
    applied: list[Due] = []
    for _ in range(10):
        bit_by_bit.clock.advance(100)
        applied += bit_by_bit.catch_up()
    assert applied == effects
    assert bit_by_bit.ledger.balance("ada") == at_once.ledger.balance("ada")


def test_a_hold_timeout_is_returned_and_changes_nothing() -> None:
    world = make()
    task = world.submit(order())
    world.agenda.add(START_MS, Occasion.HOLD_TIMEOUT, task.id)
    assert world.catch_up() == [Due(START_MS, Occasion.HOLD_TIMEOUT, task.id)]
    assert world.ledger.balance("ada").reserved_credits == 57


def test_an_outcome_is_planned_when_the_task_is_made() -> None:
    planned = make(failure_rate=1).submit(order()).planned
    assert (planned.taken_up_ms, planned.ends_ms) == (START_MS + 200, START_MS + 1_000)
    assert planned.outcome is TaskEvent.BROKE


def test_a_failure_rate_of_a_half_fails_about_half() -> None:
    world = make(failure_rate=0.5)
    fates = [world.submit(order(price=0)).planned.outcome for _ in range(400)]
    assert 160 < fates.count(TaskEvent.BROKE) < 240


def test_the_same_seed_gives_the_same_ids_and_outcomes() -> None:
    worlds = [make(seed=seed, failure_rate=0.5) for seed in (1, 1, 2)]
    runs = [[world.submit(order(price=0)) for _ in range(20)] for world in worlds]
    ids = [[task.id for task in run] for run in runs]
    fates = [[task.planned.outcome for task in run] for run in runs]
    assert (ids[0], fates[0]) == (ids[1], fates[1])
    assert not set(ids[0]) & set(ids[2])
    assert fates[0] != fates[2]


def test_worlds_share_nothing() -> None:
    world, other = make(), make()
    world.submit_once(order(), key())
    world.rates.count("key", START_MS, limit=1, window_ms=1_000)
    other.rates.count("key", START_MS, limit=1, window_ms=1_000)
    assert len(other.tasks) == 0
    assert other.ledger.balance("ada") == Balance(150, 150)
    other.submit_once(order(), key())
    assert len(other.tasks) == 1


@pytest.mark.parametrize(("api", "start"), [("rivya", "task_"), ("acedata", "")])
def test_a_task_id_has_the_form_of_its_api(api: str, start: str) -> None:
    task_id = make().submit(order(api=api)).id
    assert task_id.startswith(start)
    assert ("-" in task_id) is (api == "acedata")


# --- files and requests ---


def test_a_stored_file_belongs_to_the_account_and_uses_space() -> None:
    world = make()
    file = store_image(world, 60)
    assert file.id.startswith("file_")
    assert file.created_ms == START_MS
    assert world.uploads.find(file.id, "ada") is file
    with pytest.raises(Invalid):
        world.uploads.require_room(41)


def test_files_get_ids_of_their_own() -> None:
    world = make()
    assert len({store_image(world, 1).id for _ in range(5)}) == 5


def test_every_request_has_its_own_id_after_deletions_too() -> None:
    world = make()
    exchanges = [world.open_exchange("GET", "/") for _ in range(5)]
    assert len({exchange.id for exchange in exchanges}) == 5
    assert exchanges[0].id.startswith("req_")
    assert exchanges[0].started_ms == START_MS
    assert list(world.journal) == exchanges[-2:]
