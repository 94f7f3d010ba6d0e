"""Handles the due agenda entries of one world, and wakes the requests that wait for them."""

import asyncio
import logging
from collections.abc import Iterator

from mock_server.core.agenda import (
    ATTEMPT_DUE,
    DELAY_OVER,
    HOLD_TIMEOUT,
    TASK_ENDS,
    TASK_TAKEN_UP,
    BrokenDue,
    Due,
)
from mock_server.core.clock import capped_ms
from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.refusals import HeldTooLong, Refusal, ShuttingDown
from mock_server.core.tasks import Task
from mock_server.core.world import World
from mock_server.outgoing.outbox import Outbox

log = logging.getLogger(__name__)

_LONGEST_TURN_S = 0.01
_STOPS_FOR_OTHERS = 100
"""How often one `advance` stops for entries that were added after it began. Then it stops only for
those that were due at its beginning, so that it ends even if clients keep creating tasks."""


class Timekeeper:
    """Handles due agenda entries: by one timer on a real clock, by `advance` on any clock.
    move_lock: held while a request moves the clock, so that only one does at a time.
    is_over: whether it has stopped; it then handles nothing."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        self.world = world
        self.move_lock = asyncio.Lock()
        self._outbox = outbox
        self._held: dict[str, tuple[asyncio.Future[None], str]] = {}
        self._requests_to_finish: dict[str, asyncio.Future[None]] = {}
        self._attempts: dict[asyncio.Task[Attempt | None], Delivery] = {}
        self._awaited_ids: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for_ms = 0
        self._slept = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.is_over = False

    def catch_up(self) -> list[Due]:
        """Handle all due entries, also those that this adds, and notify the waiters.
        An entry that raises is logged and returned as a BrokenDue; the others are still handled."""
        all_happened: list[Due] = []
        while happened := self.world.catch_up():
            for due in happened:
                # Nothing waits for the start of a task, and each task has one.
                is_start = due.occasion is TASK_TAKEN_UP and not isinstance(due, BrokenDue)
                all_happened.append(due if is_start else self._handle_or_log(due))
        if all_happened:
            self.notify_waiters()
        return all_happened

    async def advance(self, by_ms: int | None) -> list[Due | Attempt]:
        """Move the clock forward, from one due time to the next; None: until nothing is due.
        Returns all that happened, in order, when it has happened: attempts with their answers,
        too. A request that is held until some time is answered before the clock moves past it.
        It waits only for what was due at the beginning and what follows from that, so that it
        returns even if clients keep creating tasks. It stops early if the world is replaced."""
        world = self.world
        from_ms, from_wall_ms = world.clock.moment()
        target_ms = None if by_ms is None else capped_ms(from_ms + by_ms)
        self._awaited_ids = self._ids_ahead(target_ms)
        try:
            return await self._advance_to(world, target_ms)
        finally:
            self._awaited_ids = set()
            self.reset_timer()
            if by_ms != 0:
                world.history.clock_changed(from_ms, from_wall_ms)

    def _ids_ahead(self, target_ms: int | None) -> set[str]:
        """The ids of the tasks, deliveries, delays and requests under way or due until then."""
        ahead = set(self._requests_to_finish)
        for due in self.world.agenda:
            if target_ms is not None and due.at_ms > target_ms:
                break
            ahead.add(due.subject)
        ahead.update(delivery.id for delivery in self._attempts.values())
        for waiting in self.world.dispatch.held_back.values():
            ahead.update(delivery.id for delivery in waiting)
        return ahead

    async def _advance_to(self, world: World, target_ms: int | None) -> list[Due | Attempt]:
        """Advance to the target; without one, until nothing that is awaited is due."""
        clock = world.clock
        happened: list[Due | Attempt] = []
        stops_for_others = 0
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        end_ms = max(self._awaited_ms(), default=0) if target_ms is None else target_ms
        while True:
            due_now = self.catch_up()
            if not any(due.subject in self._awaited_ids for due in due_now):
                stops_for_others += 1
            happened += [*due_now, *await self._until_settled(world)]
            if loop.time() - began_s > _LONGEST_TURN_S:
                await asyncio.sleep(0)  # let other requests run between the many stops
                began_s = loop.time()
            if self._is_gone(world):
                return happened
            is_for_others = stops_for_others <= _STOPS_FOR_OTHERS
            next_ms = world.agenda.next_ms() if is_for_others else next(self._awaited_ms(), None)
            if target_ms is None and next_ms is not None and next_ms > end_ms:
                end_ms = max(self._awaited_ms(), default=0)
            if next_ms is None or next_ms > end_ms:
                if target_ms is None or target_ms <= clock.now_ms():
                    return happened
                next_ms = target_ms
            clock.advance(max(0, next_ms - clock.now_ms()))

    async def _until_settled(self, world: World) -> list[Due | Attempt]:
        """Wait for the attempts and requests under way; returns what happened meanwhile.
        Waits again as long as one of the awaited ids is under way."""
        happened: list[Due | Attempt] = []
        while True:
            if self._requests_to_finish:
                await asyncio.wait(list(self._requests_to_finish.values()))
            happened += await self._attempts_once_ended()
            if self._is_gone(world):
                return happened
            happened += self.catch_up()
            under_way = {
                delivery.id for delivery in self._attempts.values()
            } | self._requests_to_finish.keys()
            if self._awaited_ids.isdisjoint(under_way):
                return happened

    async def _attempts_once_ended(self) -> list[Attempt]:
        """Wait for the attempts under way and return them; cancelled ones are left out."""
        under_way = list(self._attempts)
        ended = await asyncio.gather(*under_way, return_exceptions=True)
        for each in under_way:  # since Python 3.12 their callbacks may not have run yet
            self._attempts.pop(each, None)
        return [attempt for attempt in ended if isinstance(attempt, Attempt)]

    def _awaited_ms(self) -> Iterator[int]:
        """When the awaited ids are due, in order, as far as is known now."""
        return (due.at_ms for due in self.world.agenda if due.subject in self._awaited_ids)

    def _also_await(self, effect: str, cause: str) -> None:
        """Add the id `effect` to the awaited ones if the id `cause` is one of them."""
        if cause in self._awaited_ids:
            self._awaited_ids.add(effect)

    def _is_gone(self, world: World) -> bool:
        return self.world is not world or self.is_over

    async def deliver_before_answer(self, task: Task, request_id: str) -> None:
        """Wait for the task's deliveries before its create is answered, if its fault says so."""
        self._also_await(task.id, request_id)
        if task.id not in self.world.delivered_before_answer:
            return
        self.world.delivered_before_answer.discard(task.id)
        self.catch_up()
        attempts = [
            attempt
            for attempt, delivery in self._attempts.items()
            if delivery.event.subject == task.id
        ]
        await asyncio.gather(*attempts, return_exceptions=True)  # a reset cancels them

    def notify_waiters(self, refusal: ShuttingDown | None = None) -> None:
        """Wake all that wait for `next_change`, or have this refusal raised there."""
        if not self._waiters:
            return
        waiting, self._waiters = self._waiters, []
        for changed in waiting:
            _end(changed, refusal)

    def next_change(self) -> asyncio.Future[None]:
        """A future, done at the next change. Raises ShuttingDown if this world is gone first."""
        changed = self._new_future()
        self._waiters.append(changed)
        return changed

    def reset_timer(self) -> None:
        """Set the timer again after the clock was moved, frozen or given another scale."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.watch()

    def watch(self) -> None:
        """Set the timer for the next due time. Called after something was added to the agenda."""
        next_ms = self.world.agenda.next_ms()
        if next_ms is None or self.is_over:
            return
        if self._timer is not None and self._timer_for_ms <= next_ms:
            return
        wait_s = self.world.clock.real_wait_s(next_ms)
        if wait_s is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._on_timer)
        self._timer_for_ms = next_ms

    async def sleep(self, wait_ms: int, request_id: str) -> None:
        """Hold a request for this time on the world's clock.
        Raises ShuttingDown if the world is gone first."""
        self._slept += 1
        name = f"delay_{self._slept}"
        held = self._hold(name, request_id)
        self.world.agenda.add(self.world.clock.now_ms() + wait_ms, DELAY_OVER, name)
        self.watch()
        try:
            await held
        finally:
            self._held.pop(name, None)

    def until_end_of(self, task: Task, request_id: str, *, limit_ms: int) -> asyncio.Future[None]:
        """A future, done when the task ends; done already if it has ended.
        Raises HeldTooLong after `limit_ms` of the world's clock, and ShuttingDown if the server
        stops first. Neither changes the task."""
        if not self.world.ledger.holds(task.id):
            ended = self._new_future()
            _end(ended)
            return ended
        held = self._hold(task.id, request_id)
        hold_ends_ms = self.world.clock.now_ms() + limit_ms
        if task.planned.ends_ms > hold_ends_ms:
            self.world.agenda.add(hold_ends_ms, HOLD_TIMEOUT, task.id)
        self.watch()
        return held

    def release_clock_if_slow(self, request_id: str) -> asyncio.Handle | None:
        """Lets `advance` continue if the body has not arrived by the next turn of the loop.
        Cancel the handle when the body has arrived. None if no `advance` waits for the request."""
        if request_id not in self._requests_to_finish:
            return None
        return asyncio.get_running_loop().call_soon(self.release_clock, request_id)

    def request_ended(self, request_id: str) -> None:
        """Lets `advance` continue after a request, sets the timer for what the request added to the
        agenda, and wakes all that wait for `next_change`."""
        self.release_clock(request_id)
        self.watch()
        if self._waiters:
            self.notify_waiters()

    def release_clock(self, request_id: str) -> None:
        """Lets `advance` continue: this request is answered, or waits for its caller."""
        served = self._requests_to_finish.pop(request_id, None)
        if served is not None:
            _end(served)

    def move_to(self, world: World) -> None:
        """Replace the world. All that waits for the old one ends with ShuttingDown."""
        self.stop()
        self.world = world
        self.is_over = False
        self.watch()

    def stop(self) -> None:
        """Stop the timer, cancel attempts, and end all waits with ShuttingDown."""
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for attempt in tuple(self._attempts):
            attempt.cancel()
        for held, _ in self._held.values():
            _end(held, _world_is_gone())
        self._held.clear()
        for request_id in tuple(self._requests_to_finish):
            self.release_clock(request_id)
        self.notify_waiters(_world_is_gone())

    def _hold(self, name: str, request_id: str) -> asyncio.Future[None]:
        """A future for a request to wait for, until `_release` is called with this name."""
        self._also_await(name, request_id)
        self.release_clock(request_id)
        held = self._new_future()
        self._held[name] = held, request_id
        return held

    def _new_future(self) -> asyncio.Future[None]:
        """A future; failed already if this world is gone."""
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_over:
            promise.set_exception(_world_is_gone())
        return promise

    def _on_timer(self) -> None:
        self._timer = None
        self.catch_up()
        self.watch()

    def _handle_or_log(self, due: Due) -> Due:
        """Handle a due entry. Returns it, or a BrokenDue if handling it raises."""
        if not isinstance(due, BrokenDue):
            try:
                self._handle(due)
            except Exception as error:  # noqa: BLE001 it is logged below
                due = BrokenDue(due.at_ms, due.occasion, due.subject, error)
            else:
                return due
        log.error("%s of %s broke", due.occasion, due.subject, exc_info=due.error)
        self._release(due.subject)
        return due

    def _handle(self, due: Due) -> None:
        world, occasion = self.world, due.occasion
        if occasion is TASK_ENDS:
            if self._held:
                self._release(due.subject)
            made = world.deliveries.made
            self._outbox.task_ended(world, world.tasks[due.subject])
            if self._awaited_ids:
                for owed in world.deliveries.newest(world.deliveries.made - made):
                    self._also_await(owed.id, due.subject)
        elif occasion is DELAY_OVER:
            self._release(due.subject)
        elif occasion is HOLD_TIMEOUT:
            too_long = HeldTooLong("the request was held as long as this server holds one")
            self._release(due.subject, too_long)
        elif occasion is ATTEMPT_DUE and (delivery := world.dispatch.take_due(due)) is not None:
            self._start_attempt(delivery)

    def _start_attempt(self, delivery: Delivery) -> None:
        try:
            trying = self._outbox.attempt_due(self.world, delivery, self._on_attempt_ended)
        except Exception as error:
            self.world.dispatch.give_up(delivery, f"not sent: the server broke: {error!r}")
            raise
        if trying is not None:
            self._attempts[trying] = delivery
            trying.add_done_callback(lambda ended: self._attempts.pop(ended, None))

    def _on_attempt_ended(self) -> None:
        self.watch()
        self.notify_waiters()

    def _release(self, name: str, refusal: HeldTooLong | None = None) -> None:
        """Resume the request that waits under this name, if there is one."""
        held, request_id = self._held.pop(name, (None, ""))
        if held is None or held.done():
            return
        self._also_await(request_id, name)
        self._requests_to_finish[request_id] = held.get_loop().create_future()
        _end(held, refusal)


def _end(waiting: asyncio.Future[None], refusal: Refusal | None = None) -> None:
    """End a wait, unless it has ended. refusal: what it raises; None: it returns."""
    if waiting.done():
        return
    if refusal is None:
        waiting.set_result(None)
    else:
        waiting.set_exception(refusal)


def _world_is_gone() -> ShuttingDown:
    return ShuttingDown("this world is gone")
