"""What somebody waits for: looked for again and again, each time only where it may be new."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from mock_server.core.deliveries import Delivery, DeliveryState
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import TERMINAL, TaskEvent
from mock_server.core.refusals import Conflict
from mock_server.core.request_match import RequestMatch, near_misses
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.world import World
from mock_server.door import deliveries, requests, tasks
from mock_server.door.journal_export import Record
from mock_server.edge.timestamps import moment

WantedState = Literal["queued", "processing", "succeeded", "failed", "ended"]
WantedOutcome = Literal["succeeded", "failed", "ended", "attempted"]

_TOLD_DELIVERIES = 3


class Watch(Protocol):
    """One thing that is waited for, in one world. It remembers how far it has looked."""

    def look(self) -> dict[str, Any] | None:
        """What is waited for, if it has happened. Refuses with Conflict if it no longer can."""

    def missed(self) -> dict[str, Any]:
        """What there is instead: members of a problem, `detail` among them."""


class RequestWatch:
    """For a request that is like this, and has been answered."""

    def __init__(self, world: World, match: RequestMatch, after: str | None) -> None:
        """after: only those after the one with this id; all, and a note, if it is not known."""
        self._world = world
        self._match = match
        self._to_come = RequestMatch(method=match.method, path=match.path)
        self._after = after
        came, self._note = self._later()
        self._seen = world.journal.opened - len(came)
        self._under_way: list[Exchange] = []

    def look(self) -> dict[str, Any] | None:
        """The first of those that have come since, or were still under way."""
        journal = self._world.journal
        new = journal.opened - self._seen
        if not new and not self._under_way:
            return None
        candidates, self._under_way = self._under_way, []
        if new:
            candidates += journal.newest(new)
            self._seen = journal.opened
        for exchange in candidates:
            if exchange.ended_ms is None:
                if not self._to_come.differences(exchange):
                    self._under_way.append(exchange)
            elif not self._match.differences(exchange):
                note = {"note": self._note} if self._note else {}
                return {"request": Record(self._world).shown(exchange)} | note
        return None

    def missed(self) -> dict[str, Any]:
        """The requests that came, and which of them came near."""
        came, note = self._later()
        record = Record(self._world)
        near = near_misses(came, self._match, record.redacted)
        said = [f"{len(came) or 'no'} {'request' if len(came) == 1 else 'requests'} came"]
        if near:
            nearest = next(each for each in came if each.id == near[0].request)
            differences = "; ".join(near[0].differences)
            said.append(f"the nearest: {near[0].asked} {_answer(nearest)} ({differences})")
        said += [
            f"of the kind, but not ended yet: {exchange.method} {record.redacted(exchange).path}"
            for exchange in self._under_way
            if not self._match.differences(exchange)
        ]
        said += [note] if note else []
        return {"detail": ", ".join(said), "near_misses": msgspec.to_builtins(near)}

    def _later(self) -> tuple[list[Exchange], str | None]:
        return requests.later(self._world.journal, self._after, "after")


class TaskWatch:
    """For a task to come to a state, from now on: one that it leaves at once counts too."""

    def __init__(self, world: World, task: Task, wanted: WantedState) -> None:
        self._world = world
        self._id = task.id
        self._wanted = wanted
        self._began_ms = world.clock.now_ms()

    def look(self) -> dict[str, Any] | None:
        """The task as it is now, if it has come so far."""
        task = self._world.tasks[self._id]
        state = self._world.state_of(task)
        has_ended = state in TERMINAL
        if state == self._wanted or (self._wanted == "ended" and has_ended):
            return {"task": tasks.shown(self._world, task)}
        if self._wanted == "processing" and has_ended and self._was_at_work(task):
            return {"task": tasks.shown(self._world, task)}
        if has_ended or self._wanted == "queued":
            raise Conflict(f"the task is {state}: it will not be {self._wanted} any more")
        return None

    def missed(self) -> dict[str, Any]:
        """Where the task is, and what becomes of it when."""
        return {"detail": _prospect(self._world, self._world.tasks[self._id])}

    def _was_at_work(self, task: Task) -> bool:
        fate = task.fate
        return fate.taken_up_ms < fate.ends_ms and self._began_ms < fate.ends_ms


class DeliveryWatch:
    """For one of some deliveries to have this outcome: those that tell of a task, or any."""

    def __init__(self, world: World, wanted: WantedOutcome, task_id: str | None = None) -> None:
        """task_id: of which task it tells; None: whichever."""
        self._world = world
        self._wanted = wanted
        self._task_id = task_id
        self._made = world.deliveries.evicted
        self._knows_all = not world.deliveries.evicted
        self._others: dict[str, Delivery] = {}

    def look(self) -> dict[str, Any] | None:
        """The first that has it."""
        self._add_new()
        for delivery in self._others.values():
            if _has(delivery, self._wanted):
                return {"delivery": deliveries.shown(self._world, delivery)}
        if self._no_more_come() and _are_over(self._others):
            if not self._others:
                raise Conflict("the task has ended, and nobody was to be told of it")
            sentence = f"unless one is sent again, none will be '{self._wanted}'"
            raise Conflict(f"{self._standing()}; {sentence}")
        return None

    def missed(self) -> dict[str, Any]:
        """How the deliveries stand that could have been it."""
        task = self._world.tasks.get(self._task_id or "")
        said = self._standing()
        if task is not None and self._world.ledger.holds(task.id):
            said += f"; {_prospect(self._world, task)}"
        elif task is None and self._task_id is not None:
            said += "; this world has no task with that id"
        return {"detail": said}

    def _add_new(self) -> None:
        kept = self._world.deliveries
        new = kept.made - self._made
        if not new:
            return
        self._made = kept.made
        for delivery in kept.newest(new):
            if self._task_id in (None, delivery.event.subject):
                self._others[delivery.id] = delivery

    def _no_more_come(self) -> bool:
        """Whether all that tell of the task are known: it has ended, and none is forgotten."""
        world, task_id = self._world, self._task_id
        return (
            self._knows_all
            and task_id is not None
            and world.tasks.get(task_id) is not None
            and not world.ledger.holds(task_id)
        )

    def _standing(self) -> str:
        others = list(self._others.values())
        told = [_standing(self._world, each) for each in others[-_TOLD_DELIVERIES:]]
        if len(others) > len(told):
            told.insert(0, f"{len(others)} deliveries, the latest of them")
        if not told:
            of_task = "" if self._task_id is None else " of the task"
            gone = self._world.deliveries.evicted
            return f"no delivery{of_task} is known" + (
                f"; older ones had to go: {gone}" if gone else ""
            )
        return "; ".join(told)


class OneDeliveryWatch:
    """For this very delivery to have this outcome."""

    def __init__(self, world: World, delivery: Delivery, wanted: WantedOutcome) -> None:
        self._world = world
        self._delivery = delivery
        self._wanted = wanted

    def look(self) -> dict[str, Any] | None:
        """The delivery, if it has it."""
        if _has(self._delivery, self._wanted):
            return {"delivery": deliveries.shown(self._world, self._delivery)}
        if self._delivery.state is not DeliveryState.PENDING:
            standing = _standing(self._world, self._delivery)
            raise Conflict(f"{standing}; unless it is sent again, it will not be '{self._wanted}'")
        return None

    def missed(self) -> dict[str, Any]:
        """How it stands, and when it is tried again."""
        return {"detail": _standing(self._world, self._delivery)}


def _has(delivery: Delivery, outcome: WantedOutcome) -> bool:
    if outcome == "attempted":
        return any(attempt.ended_ms is not None for attempt in delivery.attempts)
    if outcome == "ended":
        return delivery.state is not DeliveryState.PENDING
    return delivery.state.value == outcome


def _are_over(known: dict[str, Delivery]) -> bool:
    return all(each.state is not DeliveryState.PENDING for each in known.values())


def _standing(world: World, delivery: Delivery) -> str:
    """Where a delivery is: its state, its attempts so far, when it is tried again."""
    tries = len(delivery.attempts)
    said = f"{delivery.id} is {delivery.state.value} after {tries or 'no'} "
    said += "attempt" if tries == 1 else "attempts"
    if delivery.given_up is not None:
        return f"{said} ({delivery.given_up})"
    if delivery.attempts:
        said += f" ({delivery.attempts[-1].outcome})"
    if delivery.next_attempt_ms is not None:
        said += f", the next is due {_when(world, delivery.next_attempt_ms)}"
    elif delivery in world.held_back.get(delivery.receiver, ()):
        said += ", held back until a newer one has been tried"
    elif delivery.state is DeliveryState.PENDING and not delivery.is_under_way:
        said += ", the next waits for its turn"
    return said


def _prospect(world: World, task: Task) -> str:
    """Where a task is, and how and when it will end if it is left alone."""
    said = f"the task is {world.state_of(task)}"
    if not world.ledger.holds(task.id):
        return said
    if task.fate.ends_ms == NEVER_MS:
        return f"{said} and never ends by itself"
    end = "fail" if task.fate.outcome is TaskEvent.BROKE else "succeed"
    return f"{said}, due to {end} {_when(world, task.fate.ends_ms)}"


def _when(world: World, at_ms: int) -> str:
    missing_ms = at_ms - world.clock.now_ms()
    if missing_ms <= 0:
        return "now"
    said = f"in {missing_ms / 1000:g} s of the world's clock, at {moment(at_ms)}"
    return f"{said}; the clock is frozen: advance it" if world.clock.frozen else said


def _answer(exchange: Exchange) -> str:
    if exchange.status is not None:
        return str(exchange.status)
    return "under way" if exchange.ended_ms is None else "no answer"
