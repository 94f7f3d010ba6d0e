"""Wakes a world when something comes due, and whoever waits for it. One timer for everything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from mock_server.core.agenda import BrokenDue, Due, Occasion
from mock_server.core.clock import capped_ms
from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.refusals import HeldTooLong, ShuttingDown
from mock_server.core.tasks import Task
from mock_server.core.world import World

log = logging.getLogger(__name__)

_LONGEST_TURN_S = 0.01
_STOPS_FOR_OTHERS = 100
"""How often an advance stops the clock for what other requests have brought since it began; then it
stops only for what it was asked for, so that it ends while clients go on creating."""


class Outbox(Protocol):
    """Who has to do something about what happened in a world."""

    def task_ended(self, world: World, task: Task) -> None:
        """The task has ended, and can be read so."""

    def attempt_due(
        self, world: World, delivery: Delivery, on_end: Callable[[], None]
    ) -> asyncio.Task[Attempt | None] | None:
        """It is time to try this delivery; None if it is not wanted any more.

        on_end: called when the attempt has ended.
        """


class Timekeeper:
    """Lets due things happen on a real clock; a frozen one needs nobody to watch it.

    moving: for those who move the clock on request, one after the other.
    """

    def __init__(self, world: World, outbox: Outbox) -> None:
        self.world = world
        self.moving = asyncio.Lock()
        self._outbox = outbox
        self._held: dict[str, tuple[asyncio.Future[None], str]] = {}
        self._let_go: dict[str, asyncio.Future[None]] = {}
        self._attempts: dict[asyncio.Task[Attempt | None], Delivery] = {}
        self._awaited: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for_ms = 0
        self._slept = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether nothing will wake this world any more."""
        return self._is_over

    def catch_up(self) -> list[Due]:
        """Let everything due happen, also what follows from it at once, and tell who waits.

        What breaks is logged and is a BrokenDue here; everything else happens all the same.
        """
        all_happened: list[Due] = []
        while happened := self.world.catch_up():
            all_happened += map(self._take_effect, happened)
        if all_happened:
            self.tell_waiting()
        return all_happened

    async def advance(self, by_ms: int | None) -> list[Due | Attempt]:
        """Move the clock forward, from one due thing to the next; None: until nothing is due.

        Returns when all of it has happened, in order, attempts with their answers included; a
        request that was held until some moment is answered before the clock moves on from there.
        What is due is what was due at the beginning, and what follows from it: clients that go on
        creating do not keep it from returning. It stops where it is if this world is gone.
        """
        world = self.world
        target_ms = None if by_ms is None else capped_ms(world.clock.now_ms() + by_ms)
        self._awaited = self._all_ahead(target_ms)
        try:
            return await self._move(world, target_ms)
        finally:
            self._awaited = set()
            self.rewind()

    def _all_ahead(self, target_ms: int | None) -> set[str]:
        """The ids of all that is under way or due until then: of tasks, deliveries, delays and
        requests."""
        ahead = set(self._let_go)
        for due in self.world.agenda:
            if target_ms is not None and due.at_ms > target_ms:
                break
            ahead.add(due.subject)
        ahead.update(delivery.id for delivery in self._attempts.values())
        for waiting in self.world.held_back.values():
            ahead.update(delivery.id for delivery in waiting)
        return ahead

    async def _move(self, world: World, target_ms: int | None) -> list[Due | Attempt]:
        """Advance until the target; without one, until nothing of what is awaited is due."""
        clock = world.clock
        happened: list[Due | Attempt] = []
        stops_for_others = 0
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        end_ms = self._last_awaited_ms() if target_ms is None else target_ms
        while True:
            due_now = self.catch_up()
            if not any(due.subject in self._awaited for due in due_now):
                stops_for_others += 1
            happened += [*due_now, *await self._settled(world)]
            if loop.time() - began_s > _LONGEST_TURN_S:
                await asyncio.sleep(0)  # a long way has many stops: others have a turn, too
                began_s = loop.time()
            if self._is_gone(world):
                return happened
            is_for_others = stops_for_others <= _STOPS_FOR_OTHERS
            next_ms = world.agenda.next_ms() if is_for_others else self._next_awaited_ms()
            if target_ms is None and next_ms is not None and next_ms > end_ms:
                end_ms = self._last_awaited_ms()
            if next_ms is None or next_ms > end_ms:
                if target_ms is None or target_ms <= clock.now_ms():
                    return happened
                next_ms = target_ms
            clock.advance(max(0, next_ms - clock.now_ms()))

    async def _settled(self, world: World) -> list[Due | Attempt]:
        """What follows at this moment from what has just happened, once it is over.

        Attempts and requests are waited for once, those that are awaited until there are no more.
        """
        happened: list[Due | Attempt] = []
        while True:
            if self._let_go:
                await asyncio.wait(list(self._let_go.values()))
            happened += await self._tried()
            if self._is_gone(world):
                return happened
            happened += self.catch_up()
            under_way = {delivery.id for delivery in self._attempts.values()} | self._let_go.keys()
            if self._awaited.isdisjoint(under_way):
                return happened

    async def _tried(self) -> list[Attempt]:
        """The attempts that are under way, once they have ended; a cancelled one is none."""
        under_way = list(self._attempts)
        ended = await asyncio.gather(*under_way, return_exceptions=True)
        for each in under_way:  # since Python 3.12 nobody has told us yet if all had ended before
            self._attempts.pop(each, None)
        return [attempt for attempt in ended if isinstance(attempt, Attempt)]

    def _next_awaited_ms(self) -> int | None:
        """When the next of what is awaited is due."""
        agenda = self.world.agenda
        return next((due.at_ms for due in agenda if due.subject in self._awaited), None)

    def _last_awaited_ms(self) -> int:
        """When the last of what is awaited is due, as far as is known now; 0 if nothing is."""
        agenda = self.world.agenda
        return max((due.at_ms for due in agenda if due.subject in self._awaited), default=0)

    def _follows(self, effect: str, cause: str) -> None:
        """Have the advance under way await the effect if it awaits the cause; both are ids."""
        if cause in self._awaited:
            self._awaited.add(effect)

    def _is_gone(self, world: World) -> bool:
        """Whether another world is here by now, or none any more."""
        return self.world is not world or self._is_over

    async def before_answer(self, task: Task, request_id: str) -> None:
        """Let receivers hear of a task before the request that made it is answered, if the task's
        fault wants that."""
        self._follows(task.id, request_id)
        if task.id not in self.world.told_before_answer:
            return
        self.world.told_before_answer.discard(task.id)
        self.catch_up()
        attempts = [
            attempt
            for attempt, delivery in self._attempts.items()
            if delivery.event.subject == task.id
        ]
        await asyncio.gather(*attempts, return_exceptions=True)  # a reset cancels them

    def tell_waiting(self) -> None:
        """Something has changed in this world: whoever waits for that may look."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for changed in waiting:
            if not changed.done():
                changed.set_result(None)

    def next_change(self) -> asyncio.Future[None]:
        """Done when something has changed. Raises ShuttingDown if this world is gone first."""
        changed = self._promise()
        self._waiting.append(changed)
        return changed

    def rewind(self) -> None:
        """Set the timer anew: the clock goes on in another way than when it was set."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.watch()

    def watch(self) -> None:
        """Make sure that the next due thing will wake us. Call it when something was noted."""
        next_ms = self.world.agenda.next_ms()
        if next_ms is None or self._is_over:
            return
        if self._timer is not None and self._timer_for_ms <= next_ms:
            return
        wait_s = self.world.clock.real_wait_s(next_ms)
        if wait_s is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._ring)
        self._timer_for_ms = next_ms

    async def sleep(self, wait_ms: int, request_id: str) -> None:
        """Hold a request so long on the world's clock. Raises ShuttingDown if the world is gone
        first."""
        self._slept += 1
        name = f"delay_{self._slept}"
        held = self._hold(name, request_id)
        self.world.agenda.note(self.world.clock.now_ms() + wait_ms, Occasion.DELAY_OVER, name)
        self.watch()
        try:
            await held
        finally:
            self._held.pop(name, None)

    def end_of(self, task: Task, request_id: str, *, limit_ms: int) -> asyncio.Future[None]:
        """Hold a request until the task ends; no time if it has ended already.

        Raises HeldTooLong after `limit_ms` of the world's clock, and ShuttingDown if the server
        stops first; the task knows of neither.
        """
        if not self.world.ledger.holds(task.id):
            ended = self._promise()
            if not ended.done():
                ended.set_result(None)
            return ended
        held = self._hold(task.id, request_id)
        patience_ends_ms = self.world.clock.now_ms() + limit_ms
        if task.fate.ends_ms > patience_ends_ms:
            self.world.agenda.note(patience_ends_ms, Occasion.ALARM, task.id)
        self.watch()
        return held

    def moves_on_if_slow(self, request_id: str) -> asyncio.Handle | None:
        """A request that was let go is about to hear from its caller. Cancel this when it has, and
        nobody will have noticed, unless the caller takes his time."""
        if request_id not in self._let_go:
            return None
        return asyncio.get_running_loop().call_soon(self.moved_on, request_id)

    def moved_on(self, request_id: str) -> None:
        """A request has its answer, or waits for its caller: nobody needs to wait for it."""
        served = self._let_go.pop(request_id, None)
        if served is not None and not served.done():
            served.set_result(None)

    def move_to(self, world: World) -> None:
        """Wake another world from now on; whoever waited for something in the old one is let go."""
        self.stop()
        self.world = world
        self._is_over = False
        self.watch()

    def stop(self) -> None:
        """Let everybody go; nothing will wake this world any more."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for attempt in tuple(self._attempts):
            attempt.cancel()
        for held, _ in self._held.values():
            if not held.done():
                held.set_exception(ShuttingDown("this world is gone"))
        self._held.clear()
        for request_id in tuple(self._let_go):
            self.moved_on(request_id)
        waiting, self._waiting = self._waiting, []
        for changed in waiting:
            if not changed.done():
                changed.set_exception(ShuttingDown("this world is gone"))

    def _hold(self, name: str, request_id: str) -> asyncio.Future[None]:
        """Something for a request to wait for, until `_release` is told of this name."""
        self._follows(name, request_id)
        self.moved_on(request_id)
        held = self._promise()
        self._held[name] = held, request_id
        return held

    def _promise(self) -> asyncio.Future[None]:
        """Something to wait for; broken already if this world is gone."""
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._is_over:
            promise.set_exception(ShuttingDown("this world is gone"))
        return promise

    def _ring(self) -> None:
        self._timer = None
        self.catch_up()
        self.watch()

    def _take_effect(self, due: Due) -> Due:
        """What has happened, once everybody concerned is told; a BrokenDue if that breaks."""
        if not isinstance(due, BrokenDue):
            try:
                self._tell(due)
            except Exception as error:  # noqa: BLE001 it is logged below
                due = BrokenDue(due.at_ms, due.occasion, due.subject, error)
        if isinstance(due, BrokenDue):
            log.error("%s of %s broke", due.occasion, due.subject, exc_info=due.error)
            self._release(due.subject, None)
        return due

    def _tell(self, due: Due) -> None:
        world = self.world
        if due.occasion is Occasion.TASK_ENDS:
            self._release(due.subject, None)
            made = world.deliveries.made
            self._outbox.task_ended(world, world.tasks[due.subject])
            if self._awaited:
                for owed in world.deliveries.newest(world.deliveries.made - made):
                    self._follows(owed.id, due.subject)
        elif due.occasion is Occasion.DELAY_OVER:
            self._release(due.subject, None)
        elif due.occasion is Occasion.ALARM:
            too_long = HeldTooLong("the request was held as long as this server holds one")
            self._release(due.subject, too_long)
        elif due.occasion is Occasion.ATTEMPT_DUE and (delivery := world.take_up(due)) is not None:
            self._try(delivery)

    def _try(self, delivery: Delivery) -> None:
        try:
            trying = self._outbox.attempt_due(self.world, delivery, self._on_attempt_ended)
        except Exception as error:
            self.world.give_up(delivery, f"not sent: the server broke: {error!r}")
            raise
        if trying is not None:
            self._attempts[trying] = delivery
            trying.add_done_callback(lambda ended: self._attempts.pop(ended, None))

    def _on_attempt_ended(self) -> None:
        self.watch()
        self.tell_waiting()

    def _release(self, name: str, refusal: HeldTooLong | None) -> None:
        """Let go of the request that waits for this, if one still does."""
        held, request_id = self._held.pop(name, (None, ""))
        if held is None or held.done():
            return
        self._follows(request_id, name)
        self._let_go[request_id] = held.get_loop().create_future()
        if refusal is None:
            held.set_result(None)
        else:
            held.set_exception(refusal)
