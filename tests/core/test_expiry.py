"""Tasks and uploads that expire, compared with a model that keeps everything."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mock_server.core.clock import LAST_MS, Clock
from mock_server.core.idempotency import IdempotencyKey
from mock_server.core.lifecycle import TaskEvent
from mock_server.core.lifetimes import Lifetimes
from mock_server.core.refusals import UnknownFile, UnknownTask
from mock_server.core.snapshot import UrlRewriter, encoded, restored_world, snapshot_of
from mock_server.core.tasks import Order, Task
from mock_server.core.uploads import StoredFile
from mock_server.core.world import World, WorldRules
from tests.core.worlds import make_world

PLACE = UrlRewriter("http://m", "http://m/inbox/", lambda base_url, task_id: base_url + task_id)
KEY_LIFETIME_MS = 700
CREDITS = 10_000
SIZE_BYTES = 10
LIFETIMES_MS = st.sampled_from([1, 300, 1000, 0])


def order() -> Order:
    return Order("rivya", "ada", "key", "hailuo-pro", 1, b"{}", "http://m")


def world_with(lifetimes: Lifetimes, *, start_ms: int = 0, failure_rate: float = 0.0) -> World:
    rules = WorldRules(
        idempotency_lifetime_ms=KEY_LIFETIME_MS,
        lifetimes={"rivya": lifetimes},
        failure_rate=failure_rate,
    )
    clock = Clock(lambda: 0, start_ms=start_ms, frozen=True)
    credits_of = {"ada": CREDITS}
    return make_world("w", seed=1, clock=clock, rules=rules, credits_of=credits_of, keys=())


def stored(world: World) -> StoredFile:
    """One more upload."""
    made = len(world.uploads) + world.expiry.forgotten_files
    now_ms = world.clock.now_ms()
    file = StoredFile(
        world.ids.unused("file_", "file", made, world.uploads.get),
        "ada", "image", "a.png", "image/png", SIZE_BYTES, None, "digest", now_ms,
        world.expiry.lifetimes_of("rivya").file_expires_ms(now_ms),
    )  # fmt: skip
    world.expiry.keep_file(file)
    return file


class LifetimesHold(RuleBasedStateMachine):
    """made, files: everything that was ever made, by id."""

    @initialize(
        media_ms=LIFETIMES_MS,
        task_ms=LIFETIMES_MS,
        file_ms=LIFETIMES_MS,
        failure_rate=st.sampled_from([0.0, 0.5]),
    )
    def begin(self, media_ms: int, task_ms: int, file_ms: int, failure_rate: float) -> None:
        self.lifetimes = Lifetimes(media_ms, task_ms, file_ms)
        self.world = world_with(self.lifetimes, failure_rate=failure_rate)
        self.made: dict[str, Task] = {}
        self.files: dict[str, StoredFile] = {}

    @property
    def now_ms(self) -> int:
        return self.world.clock.now_ms()

    def is_over(self, began_ms: int, lifetime_ms: int) -> bool:
        return lifetime_ms > 0 and self.now_ms >= began_ms + lifetime_ms

    def known(self, task: Task) -> bool:
        return not self.is_over(task.planned.ends_ms, self.lifetimes.task_ms)

    def serves_video(self, task: Task) -> bool:
        return not self.is_over(task.planned.ends_ms, self.lifetimes.media_ms)

    @rule(number=st.integers(0, 3) | st.none())
    def submit(self, number: int | None) -> None:
        if number is None:
            task = self.world.submit(order())
        else:
            key = IdempotencyKey("ada", "create", f"{number}", b"")
            task = self.world.submit_once(order(), key)
            self.world.idempotency.mark_answered(key)
            if task.id in self.made:
                assert self.now_ms < task.created_ms + KEY_LIFETIME_MS
                return
        assert task.id not in self.made, "the id of a deleted task is not used again"
        self.made[task.id] = task

    @rule()
    def upload(self) -> None:
        file = stored(self.world)
        assert file.id not in self.files
        self.files[file.id] = file

    @rule(by_ms=st.sampled_from([4999, 1000, 700, 299, 1]))
    def advance(self, by_ms: int) -> None:
        self.world.clock.advance(by_ms)
        self.world.catch_up()

    @precondition(lambda self: any(self.world.ledger.holds(each) for each in self.made))
    @rule(data=st.data(), outcome=st.sampled_from([TaskEvent.RENDERED, TaskEvent.BROKE]))
    def finish(self, data: st.DataObject, outcome: TaskEvent) -> None:
        running = [each for each in self.made if self.world.ledger.holds(each)]
        task_id = data.draw(st.sampled_from(running))
        self.made[task_id] = self.world.finish(self.made[task_id], outcome)
        self.world.catch_up()

    @rule()
    def forget(self) -> None:
        before = len(self.world.uploads)
        assert self.world.expiry.forget_due() is (len(self.world.uploads) < before)

    @rule()
    def restore(self) -> None:
        contents = {file.content: b"x" * SIZE_BYTES for file in self.world.uploads}
        snapshot = snapshot_of(self.world, PLACE, contents)
        self.world, again = restored_world(snapshot, "w", PLACE, lambda: 0)
        assert again == encoded(snapshot)

    @invariant()
    def a_task_is_known_until_it_expires(self) -> None:
        for task in self.made.values():
            if self.known(task):
                found = self.world.expiry.find_task(task.id, api="rivya", account="ada")
                assert found.id == task.id
            else:
                with pytest.raises(UnknownTask):
                    self.world.expiry.find_task(task.id, api="rivya", account="ada")

    @invariant()
    def a_video_is_there_until_it_expires(self) -> None:
        for task in self.made.values():
            kept = self.world.tasks.get(task.id)
            has_video = task.planned.outcome is TaskEvent.RENDERED
            if has_video and self.serves_video(task):
                assert kept is not None
            if kept is not None and has_video:
                assert self.world.expiry.video_has_expired(kept) is not self.serves_video(task)

    @invariant()
    def a_file_is_known_until_it_expires(self) -> None:
        for file in self.files.values():
            if not self.is_over(file.created_ms, self.lifetimes.file_ms):
                assert self.world.expiry.find_file(file.id, "ada") == file
            else:
                with pytest.raises(UnknownFile):
                    self.world.expiry.find_file(file.id, "ada")

    @invariant()
    def credits_are_conserved_and_those_of_deleted_tasks_are_told(self) -> None:
        balance = self.world.ledger.balance("ada")
        spent = [
            each
            for each in self.made.values()
            if each.planned.outcome is TaskEvent.RENDERED and not self.world.ledger.holds(each.id)
        ]
        assert balance.spent_credits == len(spent)
        kept = sum(self.world.tasks.get(each.id) is not None for each in spent)
        told = self.world.expiry.state().spent_credits.get("ada", 0)
        assert told + kept == len(spent)

    @invariant()
    def what_is_kept_or_forgotten_is_all(self) -> None:
        forgotten = self.world.expiry.state()
        assert len(self.world.tasks) + forgotten.tasks == len(self.made)
        assert len(self.world.uploads) + forgotten.files == len(self.files)
        for kept in self.world.idempotency.state():
            assert self.world.tasks.get(kept.task_id) is not None

    @invariant()
    def nothing_is_kept_after_twice_its_lifetime(self) -> None:
        """After the next create or upload; here it is asked for."""
        if not (self.lifetimes.task_ms and self.lifetimes.media_ms):
            return
        longest_ms = 2 * max(self.lifetimes.task_ms, self.lifetimes.media_ms)
        self.world.expiry.forget_due()
        for task in self.world.tasks:
            if not self.world.ledger.holds(task.id):
                key_ms = task.created_ms + KEY_LIFETIME_MS
                assert self.now_ms < max(task.planned.ends_ms + longest_ms, key_ms)


LifetimesHold.TestCase.settings = settings(max_examples=200, stateful_step_count=30)
TestLifetimes = LifetimesHold.TestCase


def test_nothing_expires_without_a_lifetime() -> None:
    world = world_with(Lifetimes())
    task, file = world.submit(order()), stored(world)
    world.clock.advance(10**12)
    world.catch_up()
    world.submit(order())
    assert world.expiry.find_task(task.id, api="rivya", account="ada") == task
    assert world.expiry.find_file(file.id, "ada") == file
    assert not world.expiry.video_has_expired(task)


def test_a_deleted_task_leaves_no_fault_and_no_space_is_counted_for_a_deleted_file() -> None:
    world = world_with(Lifetimes(media_ms=1, task_ms=1, file_ms=1))
    for _ in range(50):
        world.submit(order())
        stored(world)
        world.clock.advance(3000)
        world.catch_up()
    assert len(world.tasks) == 1
    assert len(world.uploads) <= 2
    world.expiry.forget_due()
    world.uploads.require_room(world.rules.stored_upload_bytes)


def test_at_the_end_of_time_nothing_expires() -> None:
    """Time stands still there, so all that would expire later expires never."""
    world = world_with(
        Lifetimes(media_ms=9000, task_ms=9000, file_ms=9000), start_ms=LAST_MS - 5000
    )
    task, file = world.submit(order()), stored(world)
    world.clock.advance(10**6)
    world.catch_up()
    world.submit(order())
    assert world.expiry.find_task(task.id, api="rivya", account="ada") == task
    assert file.expires_ms is None
