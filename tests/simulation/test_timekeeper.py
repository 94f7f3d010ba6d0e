"""A failing effect does not stop others, and every advance ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mock_server.config.settings import DeliverySettings
from mock_server.core.agenda import BrokenDue, Occasion
from mock_server.core.clock import Clock
from mock_server.core.deliveries import (
    Attempt,
    Delivery,
    DeliveryState,
    Event,
    OutgoingRequest,
    PendingEvent,
)
from mock_server.core.tasks import Order, Task
from mock_server.core.world import World, WorldRules
from mock_server.outgoing.outbox import Outbox
from mock_server.outgoing.sender import Sender
from mock_server.simulation.timekeeper import Timekeeper
from mock_server.simulation.wall_clock import wall_ms
from tests.core.worlds import make_world

PATIENCE_S = 20
WAITS_MS = (60_000,)


class StubOutbox(Outbox):
    """Schedules an event for every end. Attempts take one turn of the loop. Named effects fail."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.status = 200
        self.breaks_at_end_of: set[str] = set()
        self.breaks_at_attempts = False

    def task_ended(self, world: World, task: Task) -> None:
        if task.id in self.breaks_at_end_of:
            raise RuntimeError("no event can be written")
        self.told.append(task.id)
        event = Event("evt", "callback", "acedata", "ada", task.id, world.clock.now_ms(), b"{}")
        world.dispatch.schedule(PendingEvent(event, "http://x", WAITS_MS))

    def attempt_due(
        self, world: World, delivery: Delivery, on_end: Callable[[], None]
    ) -> asyncio.Task[Attempt | None]:
        if self.breaks_at_attempts:
            raise RuntimeError("no attempt can be made")
        return asyncio.get_running_loop().create_task(self._attempt(world, delivery))

    async def _attempt(self, world: World, delivery: Delivery) -> Attempt:
        attempt = delivery.begin_attempt(world.clock.now_ms())
        await asyncio.sleep(0)
        attempt.status = self.status
        world.dispatch.end_attempt(delivery, attempt)
        return attempt


class Setting:
    """A world, its timekeeper, and the log."""

    def __init__(self, *, frozen: bool = True, **rules: Any) -> None:
        clock = Clock((lambda: 0) if frozen else wall_ms, frozen=frozen)
        credits = {"ada": 10**9}
        self.world = make_world(
            "w", seed=1, clock=clock, rules=WorldRules(**rules), credits_of=credits, keys=[]
        )
        self.outbox = StubOutbox()
        self.timekeeper = Timekeeper(self.world, self.outbox)

    def create(self) -> Task:
        order = Order("acedata", "ada", "key", "minimax-hailuo", 1, b"{}", "http://mock.test")
        return self.world.submit(order)


def run(story: Callable[[Setting], Coroutine[Any, Any, None]], setting: Setting) -> None:
    async def told() -> None:
        await asyncio.wait_for(story(setting), PATIENCE_S)

    asyncio.run(told())


# --- what breaks --------------------------------------------------------------------------------


def test_a_failing_end_of_a_task_is_logged_and_reported_and_the_others_happen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(here: Setting) -> None:
        first, broken, last = (here.create() for _ in range(3))
        here.outbox.breaks_at_end_of = {broken.id}
        held = here.timekeeper.until_end_of(broken, "req", limit_ms=10**6)
        held.add_done_callback(lambda _: here.timekeeper.release_clock("req"))
        happened = await here.timekeeper.advance(None)
        assert here.outbox.told == [first.id, last.id]
        assert [each.subject for each in happened if isinstance(each, BrokenDue)] == [broken.id]
        assert sum(isinstance(each, Attempt) for each in happened) == 2
        assert here.world.ledger.balance("ada").spent_credits == 3
        assert held.done()

    with caplog.at_level(logging.ERROR):
        run(story, Setting())
    (record,) = caplog.records
    assert "task_ends" in record.getMessage()
    assert record.exc_info


def test_a_failing_rule_of_the_world_does_not_stop_others() -> None:
    """Something is due for a task that is not there."""

    async def story(here: Setting) -> None:
        here.world.ledger.reserve("ada", "ghost", 1)
        here.world.agenda.add(1000, Occasion.TASK_ENDS, "ghost")
        task = here.create()
        happened = await here.timekeeper.advance(1000)
        assert [each.subject for each in happened if isinstance(each, BrokenDue)] == ["ghost"]
        assert here.outbox.told == [task.id]

    run(story, Setting())


def test_the_timer_continues_after_a_failing_effect() -> None:
    async def story(here: Setting) -> None:
        broken = here.create()
        here.outbox.breaks_at_end_of = {broken.id}
        here.timekeeper.watch()
        while here.world.ledger.holds(broken.id):
            await here.timekeeper.next_change()
        later = here.create()
        here.timekeeper.watch()
        while later.id not in here.outbox.told:
            await here.timekeeper.next_change()

    run(story, Setting(frozen=False, queued_ms=5, processing_ms=5))


def test_a_delivery_that_cannot_be_tried_says_so_and_can_be_sent_again() -> None:
    async def story(here: Setting) -> None:
        here.create()
        here.outbox.breaks_at_attempts = True
        happened = await here.timekeeper.advance(None)
        assert sum(isinstance(each, BrokenDue) for each in happened) == 1
        (delivery,) = here.world.deliveries
        assert "no attempt can be made" in (delivery.given_up or "")
        here.outbox.breaks_at_attempts = False
        here.world.dispatch.redeliver(delivery)
        await here.timekeeper.advance(None)
        assert delivery.state is DeliveryState.SUCCEEDED

    run(story, Setting())


def test_an_attempt_whose_request_cannot_be_written_ends_and_says_so() -> None:
    def compose(world: World, delivery: Delivery, attempt: Attempt) -> OutgoingRequest:
        raise RuntimeError("no signature")

    async def story(here: Setting) -> None:
        event = Event("evt", "callback", "acedata", "ada", "task", 0, b"{}")
        (delivery,) = here.world.dispatch.schedule(
            PendingEvent(event, "http://127.0.0.1:9/", WAITS_MS)
        )
        sender = Sender(DeliverySettings(), ("loopback",))
        attempt = await sender.start(here.world, delivery, lambda *_: True, compose, lambda: None)
        assert attempt is not None
        assert "no signature" in attempt.outcome
        assert (attempt.ended_ms, delivery.next_attempt_ms) == (0, 60_000)

    run(story, Setting())


# --- an advance ends ----------------------------------------------------------------------------


@pytest.mark.parametrize("lasts_ms", [0, 100])
@pytest.mark.parametrize("by_ms", [None, 3_600_000])
@pytest.mark.parametrize("status", [200, 500])
def test_an_advance_ends_beside_a_client_that_goes_on_creating(
    lasts_ms: int, by_ms: int | None, status: int
) -> None:
    async def create_for_ever(here: Setting) -> None:
        while True:
            here.create()
            here.timekeeper.catch_up()
            here.timekeeper.watch()
            await asyncio.sleep(0)

    async def story(here: Setting) -> None:
        here.outbox.status = status
        asked_ms = here.world.clock.now_ms()
        mine = here.create()
        creating = asyncio.ensure_future(create_for_ever(here))
        try:
            happened = await here.timekeeper.advance(by_ms)
        finally:
            creating.cancel()
        assert mine.id in here.outbox.told
        (delivery,) = (each for each in here.world.deliveries if each.event.subject == mine.id)
        tried = [
            each for each in happened if isinstance(each, Attempt) and each in delivery.attempts
        ]
        times_ms = [each.started_ms - asked_ms for each in tried]
        assert times_ms == [lasts_ms, lasts_ms + 60_000][: 2 if status == 500 else 1]
        moved_ms = here.world.clock.now_ms() - asked_ms
        assert moved_ms == (times_ms[-1] if by_ms is None else by_ms)

    run(story, Setting(queued_ms=0, processing_ms=lasts_ms))


def test_until_idle_includes_what_a_delayed_request_makes() -> None:
    async def delayed_create(here: Setting) -> None:
        await here.timekeeper.sleep(3000, "req")
        task = here.create()
        await here.timekeeper.deliver_before_answer(task, "req")
        here.timekeeper.release_clock("req")

    async def story(here: Setting) -> None:
        creating = asyncio.ensure_future(delayed_create(here))
        await asyncio.sleep(0)
        happened = await here.timekeeper.advance(None)
        await creating
        assert happened[-1].started_ms == 4000 if isinstance(happened[-1], Attempt) else False
        assert here.world.agenda.next_ms() is None

    run(story, Setting())
