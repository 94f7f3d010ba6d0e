"""Tasks: what was asked, what becomes of it, when. Their state follows from that and the time.

Stored values hold nothing that could lead back to them, so the garbage collector is told to leave
them out (`gc=False`): a million tasks make nobody wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from mock_server.core.clock import LAST_MS, capped_ms
from mock_server.core.lifecycle import TaskEvent, TaskState, state_at
from mock_server.core.numbers import Count
from mock_server.core.refusals import UnknownTask

NEVER_MS = 1 << 62
"""The end of a task that never ends."""


class Order(Struct, frozen=True, gc=False):
    """A request for a generation that has passed every rule about its form.

    request: the body as it came, JSON in UTF-8.
    base_url: where the caller reached the server, for URLs in callbacks.
    """

    api: str
    account: str
    key: str
    model: str
    price_credits: Count
    request: bytes
    base_url: str
    callback_url: str | None = None


class Fate(Struct, frozen=True, gc=False):
    """How a task will go: when it is taken up, when it ends (perhaps NEVER_MS), and with what.

    fault, scenario: what wanted it so, if it goes in another way than the world's rules have it.
    """

    taken_up_ms: int
    ends_ms: int
    outcome: TaskEvent
    fault: str | None = None
    scenario: str | None = None

    def within_time(self) -> Fate:
        """The same, no later than time ends."""
        if self.ends_ms <= LAST_MS:
            return self
        ends_ms = NEVER_MS if self.ends_ms == NEVER_MS else LAST_MS
        return replace(self, taken_up_ms=capped_ms(self.taken_up_ms), ends_ms=ends_ms)


class Task(Struct, frozen=True, gc=False):
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
        fate = self.fate
        if now_ms >= fate.ends_ms:
            return fate.ends_ms
        return fate.taken_up_ms if now_ms >= fate.taken_up_ms else self.created_ms


class Tasks:
    """Every task of a world."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, task_id: str) -> Task:
        return self._tasks[task_id]

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def newest(self, count: int) -> list[Task]:
        """The last so many that were made, the oldest first."""
        return list(islice(reversed(self._tasks.values()), count))[::-1]

    def add(self, task: Task) -> None:
        """Keep a task from now on, in place of one with the same id."""
        self._tasks[task.id] = task

    def get(self, task_id: str) -> Task | None:
        """The task, whoever owns it: the address of its video is not a secret kept by a key."""
        return self._tasks.get(task_id)

    def find(self, task_id: str, *, api: str, account: str) -> Task:
        """The account's task. Refuses with UnknownTask if it is none of theirs."""
        task = self._tasks.get(task_id)
        if task is None or not task.belongs_to(api, account):
            raise UnknownTask("this account has no task with that id")
        return task
