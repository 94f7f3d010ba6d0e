"""Tasks: what was asked, what becomes of it, when. Their state follows from that and the time."""

from __future__ import annotations

from typing import Any, NamedTuple

from mock_server.core.lifecycle import TaskEvent, TaskState, state_at
from mock_server.core.refusals import UnknownTask


class Order(NamedTuple):
    """A request for a generation that has passed every rule about its form.

    request: the body as it came, JSON in UTF-8.
    base_url: where the caller reached the server, for URLs in callbacks.
    """

    api: str
    account: str
    key: str
    model: str
    price_credits: int
    request: bytes
    base_url: str
    callback_url: str | None = None


class Fate(NamedTuple):
    """How a task will go: when it is taken up, when it ends, and with what."""

    taken_up_ms: int
    ends_ms: int
    outcome: TaskEvent


class Task(NamedTuple):
    """One accepted generation: facts only."""

    id: str
    order: Order
    created_ms: int
    fate: Fate

    @property
    def timeline(self) -> tuple[tuple[int, TaskEvent], ...]:
        """What happens to it when, oldest first."""
        fate = self.fate
        return ((fate.taken_up_ms, TaskEvent.TAKEN_UP), (fate.ends_ms, fate.outcome))

    def state_at(self, now_ms: int) -> TaskState:
        """Its state at a moment."""
        return state_at(self.timeline, now_ms)

    def belongs_to(self, api: str, account: str) -> bool:
        """Whether this account made it through this API."""
        return self.order.account == account and self.order.api == api

    def updated_ms(self, now_ms: int) -> int:
        """When it last changed, seen from `now_ms`."""
        return max(
            (at_ms for at_ms, _ in self.timeline if at_ms <= now_ms), default=self.created_ms
        )


_ORDER_ENDS = 2 + len(Order._fields)


class Tasks:
    """Every task of a world.

    A stored task is a plain tuple of plain values: the garbage collector lets go of those for
    good, so that a million of them make nobody wait.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[Any, ...]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, task_id: str) -> Task:
        return _task(self._tasks[task_id])

    def add(self, task: Task) -> None:
        """Keep a task from now on."""
        fate = task.fate
        self._tasks[task.id] = (
            task.id,
            task.created_ms,
            *task.order,
            fate.taken_up_ms,
            fate.ends_ms,
            fate.outcome.value,
        )

    def get(self, task_id: str) -> Task | None:
        """The task, whoever owns it: the address of its video is not a secret kept by a key."""
        row = self._tasks.get(task_id)
        return None if row is None else _task(row)

    def find(self, task_id: str, *, api: str, account: str) -> Task:
        """The account's task. Refuses with UnknownTask if it is none of theirs."""
        task = self.get(task_id)
        if task is None or not task.belongs_to(api, account):
            raise UnknownTask("this account has no task with that id")
        return task


def _task(row: tuple[Any, ...]) -> Task:
    taken_up_ms, ends_ms, outcome = row[_ORDER_ENDS:]
    fate = Fate(taken_up_ms, ends_ms, TaskEvent(outcome))
    return Task(row[0], Order._make(row[2:_ORDER_ENDS]), row[1], fate)
