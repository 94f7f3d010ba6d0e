"""Conditions of waits. They are checked after each change, only against what is new."""

from typing import Any, Literal, NamedTuple, TypeAlias

from mock_server.control import answers
from mock_server.core.deliveries import Delivery, DeliveryState
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import TERMINAL, TaskEvent
from mock_server.core.refusals import Conflict
from mock_server.core.request_match import RequestMatch, near_misses
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.world import World
from mock_server.door import deliveries, requests, tasks
from mock_server.door.journal_export import Record
from mock_server.edge.timestamps import timestamp

WantedState = Literal["queued", "processing", "succeeded", "failed", "ended"]
WantedOutcome = Literal["succeeded", "failed", "ended", "attempted"]

_SHOWN_DELIVERIES = 3


Found: TypeAlias = answers.FoundRequest | answers.FoundTask | answers.FoundDelivery


class RequestWatch:
    """Waits for a matching request that has been answered."""

    def __init__(self, world: World, match: RequestMatch, after: str | None) -> None:
        """after: only requests after the one with this id; all, and a note, if it is not kept."""
        self._world = world
        self._match = match
        self._begins_like = RequestMatch(method=match.method, path=match.path)
        self._after = after
        came, self._note = self._requests_after()
        self._seen = world.journal.opened - len(came)
        self._under_way: list[Exchange] = []

    def look(self) -> answers.FoundRequest | None:
        """The first match among the new requests and those that were still under way."""
        journal = self._world.journal
        new, self._seen = journal.opened - self._seen, journal.opened
        candidates, self._under_way = [*self._under_way, *journal.newest(new)], []
        for exchange in candidates:
            if exchange.ended_ms is None:
                if not self._begins_like.differences(exchange):
                    self._under_way.append(exchange)
            elif not self._match.differences(exchange):
                return answers.FoundRequest(Record(self._world).shown(exchange), self._note)
        return None

    def missed(self) -> dict[str, Any]:
        """The number of requests that came, and the nearest of them."""
        came, note = self._requests_after()
        record = Record(self._world)
        near = near_misses(came, self._match, record.redacted)
        text = [f"{len(came) or 'no'} {'request' if len(came) == 1 else 'requests'} came"]
        if near:
            nearest = next(each for each in came if each.id == near[0].request)
            differences = "; ".join(near[0].differences)
            text.append(f"the nearest: {near[0].asked} {_status(nearest)} ({differences})")
        text += [
            f"of the kind, but not ended yet: {exchange.method} {record.redacted(exchange).path}"
            for exchange in self._under_way
            if not self._match.differences(exchange)
        ]
        text += [note] if note else []
        return {"detail": ", ".join(text), "near_misses": near}

    def _requests_after(self) -> tuple[list[Exchange], str | None]:
        return requests.newer_than(self._world.journal, self._after, "after")


class TaskWatch:
    """Waits until a task reaches a state. A state that it leaves at once counts, too."""

    def __init__(self, world: World, task: Task, wanted: WantedState) -> None:
        self._world = world
        self._task = task
        self._wanted = wanted
        self._began_ms = world.clock.now_ms()

    def look(self) -> answers.FoundTask | None:
        """The task as it is now, if it has reached the state."""
        task = self._task = self._world.tasks.get(self._task.id) or self._task
        state = self._world.state_of(task)
        has_ended = state in TERMINAL
        is_reached = state == self._wanted or (self._wanted == "ended" and has_ended)
        was_reached = self._wanted == "processing" and has_ended and self._was_processing(task)
        if is_reached or was_reached:
            return answers.FoundTask(tasks.task_answer(self._world, task))
        if has_ended or self._wanted == "queued":
            raise Conflict(f"the task is {state}: it will not be {self._wanted} any more")
        return None

    def missed(self) -> dict[str, Any]:
        """The state of the task, and when it ends."""
        return {"detail": _task_state(self._world, self._task)}

    def _was_processing(self, task: Task) -> bool:
        planned = task.planned
        return planned.taken_up_ms < planned.ends_ms and self._began_ms < planned.ends_ms


class DeliveryWatch:
    """Waits until a delivery about a task, or about any, has an outcome."""

    def __init__(self, world: World, wanted: WantedOutcome, task_id: str | None) -> None:
        """task_id: None: about any task."""
        self._world = world
        self._wanted = wanted
        self._task_id = task_id
        self._made = world.deliveries.evicted
        self._knows_all = not self._made
        self._deliveries: dict[str, Delivery] = {}

    def look(self) -> answers.FoundDelivery | None:
        """The first delivery with the outcome."""
        self._add_new()
        known = self._deliveries.values()
        for delivery in known:
            if _has(delivery, self._wanted):
                return _found(self._world, delivery)
        is_pending = any(each.state is DeliveryState.PENDING for each in known)
        if self._knows_every_delivery() and not is_pending:
            if not known:
                raise Conflict("the task has ended, and it has no receiver")
            sentence = f"unless one is sent again, none will be '{self._wanted}'"
            raise Conflict(f"{self._states()}; {sentence}")
        return None

    def missed(self) -> dict[str, Any]:
        """The states of the deliveries that could have had the outcome."""
        task = self._world.tasks.get(self._task_id or "")
        text = self._states()
        if task is not None and self._world.ledger.holds(task.id):
            text += f"; {_task_state(self._world, task)}"
        elif task is None and self._task_id is not None:
            text += "; this world has no task with that id"
        return {"detail": text}

    def _add_new(self) -> None:
        kept = self._world.deliveries
        new, self._made = kept.made - self._made, kept.made
        for delivery in kept.newest(new):
            if self._task_id in (None, delivery.event.subject):
                self._deliveries[delivery.id] = delivery

    def _knows_every_delivery(self) -> bool:
        """Whether all deliveries about the task are known: it has ended, and none was evicted."""
        world, task_id = self._world, self._task_id
        return (
            self._knows_all
            and task_id is not None
            and world.tasks.get(task_id) is not None
            and not world.ledger.holds(task_id)
        )

    def _states(self) -> str:
        known = list(self._deliveries.values())
        states = [_delivery_state(self._world, each) for each in known[-_SHOWN_DELIVERIES:]]
        if len(known) > len(states):
            states.insert(0, f"{len(known)} deliveries, the latest of them")
        if states:
            return "; ".join(states)
        of_task = "" if self._task_id is None else " of the task"
        evicted = self._world.deliveries.evicted
        older = f"; older ones are no longer kept: {evicted}" if evicted else ""
        return f"no delivery{of_task} is known{older}"


class OneDeliveryWatch(NamedTuple):
    """Waits until one delivery has an outcome."""

    world: World
    delivery: Delivery
    wanted: WantedOutcome

    def look(self) -> answers.FoundDelivery | None:
        """The delivery, if it has the outcome."""
        if _has(self.delivery, self.wanted):
            return _found(self.world, self.delivery)
        if self.delivery.state is not DeliveryState.PENDING:
            state = _delivery_state(self.world, self.delivery)
            raise Conflict(f"{state}; unless it is sent again, it will not be '{self.wanted}'")
        return None

    def missed(self) -> dict[str, Any]:
        """The state of the delivery, and when the next attempt is due."""
        return {"detail": _delivery_state(self.world, self.delivery)}


Watch: TypeAlias = RequestWatch | TaskWatch | DeliveryWatch | OneDeliveryWatch
"""A condition in one world, which remembers the items that it has checked.

look: the result if the condition holds. Refuses with Conflict if it can no longer hold.
missed: `detail` and other members of a problem that describe what happened instead.
"""


def _found(world: World, delivery: Delivery) -> answers.FoundDelivery:
    return answers.FoundDelivery(deliveries.delivery_answer(world, delivery))


def _has(delivery: Delivery, outcome: WantedOutcome) -> bool:
    if outcome == "attempted":
        return any(attempt.ended_ms is not None for attempt in delivery.attempts)
    if outcome == "ended":
        return delivery.state is not DeliveryState.PENDING
    return delivery.state.value == outcome


def _delivery_state(world: World, delivery: Delivery) -> str:
    """The state of a delivery, the number of its attempts, and when the next one is due."""
    tries = len(delivery.attempts)
    text = f"{delivery.id} is {delivery.state.value} after {tries or 'no'} "
    text += "attempt" if tries == 1 else "attempts"
    if delivery.given_up is not None:
        return f"{text} ({delivery.given_up})"
    if delivery.attempts:
        text += f" ({delivery.attempts[-1].outcome})"
    if delivery.next_attempt_ms is not None:
        text += f", the next is due {_when(world, delivery.next_attempt_ms)}"
    elif delivery in world.dispatch.held_back.get(delivery.receiver, ()):
        text += ", held back until a newer one has been tried"
    elif delivery.state is DeliveryState.PENDING and not delivery.is_under_way:
        text += ", the next waits for its turn"
    return text


def _task_state(world: World, task: Task) -> str:
    """The state of a task, and how and when it ends."""
    text = f"the task is {world.state_of(task)}"
    if not world.ledger.holds(task.id):
        return text
    if task.planned.ends_ms == NEVER_MS:
        return f"{text} and never ends by itself"
    end = "fail" if task.planned.outcome is TaskEvent.BROKE else "succeed"
    return f"{text}, due to {end} {_when(world, task.planned.ends_ms)}"


def _when(world: World, at_ms: int) -> str:
    missing_ms = at_ms - world.clock.now_ms()
    if missing_ms <= 0:
        return "now"
    text = f"in {missing_ms / 1000:g} s of the world's clock, at {timestamp(at_ms)}"
    return f"{text}; the clock is frozen: advance it" if world.clock.frozen else text


def _status(exchange: Exchange) -> str:
    if exchange.status is not None:
        return str(exchange.status)
    return "under way" if exchange.ended_ms is None else "no answer"
