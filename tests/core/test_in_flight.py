"""Limits on tasks that have not ended, compared with a model that counts them one by one."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mock_server.core.clock import Clock
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.refusals import DryRunEnded, InsufficientCredits, TooManyInFlight
from mock_server.core.snapshot import UrlRewriter, encoded, restored_world, snapshot_of
from mock_server.core.tasks import Order
from mock_server.core.world import World, WorldRules
from tests.core.worlds import make_world

PLACE = UrlRewriter("http://m", "http://m/inbox/", lambda base_url, task_id: base_url + task_id)
KEYS = {"ada-1": "ada", "ada-2": "ada", "ben-1": "ben"}
LIMITS = st.sampled_from([0, 0, 1, 2, 3])
owners = st.sampled_from(sorted(KEYS))


def order(key: str, price: int = 1) -> Order:
    return Order("rivya", KEYS[key], key, "hailuo-pro", price, b"{}", "http://m")


def document(world: World) -> bytes:
    return encoded(snapshot_of(world, PLACE, {}))


def make() -> World:
    return make_world(
        "w",
        seed=1,
        clock=Clock(lambda: 0, start_ms=0, frozen=True),
        rules=WorldRules(),
        credits_of=dict.fromkeys(KEYS.values(), 10),
        keys=(),
    )


class LimitsHold(RuleBasedStateMachine):
    """running: the key of each task that has not ended, by its id."""

    @initialize()
    def begin(self) -> None:
        self.world = make()
        self.running: dict[str, tuple[str, int]] = {}
        self.account_limits: dict[str, int] = {}
        self.made = 0

    def count(self, key: str) -> int:
        return sum(each == key for each, _ in self.running.values())

    def count_of_account(self, account: str) -> int:
        return sum(KEYS[each] == account for each, _ in self.running.values())

    def has_room(self, key: str, limit: int) -> bool:
        most = self.account_limits.get(KEYS[key], 0)
        return (not limit or self.count(key) < limit) and (
            not most or self.count_of_account(KEYS[key]) < most
        )

    @rule(key=owners, limit=LIMITS, price=st.sampled_from([0, 1, 11]), is_once=st.booleans())
    def submit(self, key: str, limit: int, price: int, is_once: bool) -> None:
        before = document(self.world)
        self.made += 1
        try:
            if is_once:
                scope = IdempotencyKey(KEYS[key], "create", f"{self.made}", b"")
                task = self.world.submit_once(order(key, price), scope, in_flight=limit)
            else:
                task = self.world.submit(order(key, price), in_flight=limit)
        except TooManyInFlight:
            assert not self.has_room(key, limit)
            assert document(self.world) == before
        except InsufficientCredits:
            assert self.has_room(key, limit)
            assert document(self.world) == before
        else:
            assert self.has_room(key, limit)
            self.running[task.id] = key, task.planned.ends_ms

    @rule(key=owners, limit=LIMITS)
    def try_out(self, key: str, limit: int) -> None:
        before = document(self.world)
        with self.world.dry_run(), pytest.raises((DryRunEnded, TooManyInFlight)) as caught:
            self.world.submit(order(key, 0), in_flight=limit)
        assert (caught.type is DryRunEnded) is self.has_room(key, limit)
        assert document(self.world) == before

    @rule(account=st.sampled_from(["ada", "ben"]), limit=LIMITS)
    def limit_account(self, account: str, limit: int) -> None:
        self.world.in_flight.set_account_limit(account, limit)
        self.account_limits[account] = limit

    @rule(by_ms=st.sampled_from([1, 500, 1000]))
    def advance(self, by_ms: int) -> None:
        self.world.clock.advance(by_ms)
        self.world.catch_up()
        now_ms = self.world.clock.now_ms()
        self.running = {each: one for each, one in self.running.items() if one[1] > now_ms}

    @precondition(lambda self: self.running)
    @rule(data=st.data(), outcome=st.sampled_from([TaskEvent.RENDERED, TaskEvent.BROKE]))
    def finish(self, data: st.DataObject, outcome: TaskEvent) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.running)))
        self.world.finish(self.world.tasks[task_id], outcome)
        self.world.catch_up()
        del self.running[task_id]

    @rule()
    def restore(self) -> None:
        snapshot = snapshot_of(self.world, PLACE, {})
        self.world, again = restored_world(snapshot, "w", PLACE, lambda: 0)
        assert again == encoded(snapshot)

    @invariant()
    def limits_of_accounts_hold_since_they_were_set(self) -> None:
        assert self.world.in_flight.account_limits == {
            account: limit for account, limit in self.account_limits.items() if limit
        }


LimitsHold.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestLimits = LimitsHold.TestCase


def test_nothing_is_counted_before_a_limit_is_asked_for() -> None:
    world = make()
    world.submit(order("ada-1"))
    assert not world.in_flight.is_counting
    world.submit(order("ada-1"), in_flight=2)
    assert world.in_flight.is_counting


def test_the_refusal_says_whose_limit_it_is() -> None:
    world = make()
    world.submit(order("ada-1"))
    with pytest.raises(TooManyInFlight, match="1 tasks at once is the limit of this key, and 1"):
        world.submit(order("ada-1"), in_flight=1)
    world.in_flight.set_account_limit("ada", 1)
    with pytest.raises(TooManyInFlight, match="limit of this account"):
        world.submit(order("ada-2"))


def test_a_replay_makes_no_task_and_is_not_refused() -> None:
    world = make()
    key = IdempotencyKey("ada", "create", "k", b"")
    task = world.submit_once(order("ada-1"), key, in_flight=1)
    world.idempotency.mark_answered(key)
    assert world.submit_once(order("ada-1"), key, in_flight=1) is task
