"""Tasks: an order and a planned outcome. Their state follows from the plan and the time.

These values contain no reference cycles, so the garbage collector skips them (`gc=False`): with a
million tasks it would stop the server for long.
"""

from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

from mock_server.core.clock import LAST_MS, capped_ms
from mock_server.core.field_types import Count
from mock_server.core.lifecycle import (
    FAILED,
    PROCESSING,
    QUEUED,
    RENDERED,
    SUCCEEDED,
    USUAL_REASON,
    FailureReason,
    TaskEvent,
    TaskState,
)
from mock_server.core.marks import Marks
from mock_server.core.records import Records
from mock_server.core.refusals import UnknownTask

NEVER_MS = 1 << 62
"""The end time of a task that never ends."""


class Order(Struct, frozen=True, gc=False):
    """A valid request for a generation.

    request: the body as it came, JSON in UTF-8.
    base_url: the start of the URLs of media in callbacks.
    """

    api: str
    account: str
    key: str
    model: str
    price_credits: Count
    request: bytes
    base_url: str
    callback_url: str | None = None


class PlannedOutcome(Struct, frozen=True, gc=False):
    """When a task starts, when it ends (NEVER_MS: never), and with which event.

    reason: why it fails, if it does.
    fault, scenario: those that changed the plan, if any did.
    """

    taken_up_ms: int
    ends_ms: int
    outcome: TaskEvent
    reason: FailureReason = USUAL_REASON
    fault: str | None = None
    scenario: str | None = None

    def capped(self) -> Self:
        """The same plan with no time after LAST_MS, except NEVER_MS."""
        if self.ends_ms <= LAST_MS:
            return self
        ends_ms = NEVER_MS if self.ends_ms == NEVER_MS else LAST_MS
        return replace(self, taken_up_ms=capped_ms(self.taken_up_ms), ends_ms=ends_ms)


class Task(Struct, frozen=True, gc=False):
    """One accepted generation. Immutable: its state follows from the time."""

    id: str
    order: Order
    created_ms: int
    planned: PlannedOutcome = field(name="fate")

    def state_at(self, now_ms: int) -> TaskState:
        """Its state at a time: queued, then processing, then the outcome."""
        planned = self.planned
        if now_ms < planned.taken_up_ms:
            return QUEUED
        if now_ms < planned.ends_ms:
            return PROCESSING
        is_rendered = planned.outcome is RENDERED
        return SUCCEEDED if is_rendered else FAILED

    def belongs_to(self, api: str, account: str) -> bool:
        """Whether this account made it with this API."""
        return self.order.account == account and self.order.api == api

    def updated_ms(self, now_ms: int) -> int:
        """The time of its last change up to `now_ms`."""
        planned = self.planned
        if now_ms >= planned.ends_ms:
            return planned.ends_ms
        return planned.taken_up_ms if now_ms >= planned.taken_up_ms else self.created_ms


def ended_at(
    now_ms: int, task: Task, outcome: TaskEvent, reason: FailureReason | None = None
) -> Task:
    """The task as it is if it ends now. reason: why it fails; None: as planned."""
    taken_up_ms = min(task.planned.taken_up_ms, now_ms)
    planned = PlannedOutcome(taken_up_ms, now_ms, outcome, reason or task.planned.reason)
    return replace(task, planned=planned)


class Tasks(Records[Task]):
    """All tasks of a world."""

    def __init__(self, marks: Marks | None = None) -> None:
        super().__init__()
        self._marks = marks or Marks()

    def add(self, task: Task) -> None:
        """Keep a task, in place of one with the same id."""
        self._marks.mark("task", task.id)
        self._records[task.id] = task

    def remove(self, task_id: str) -> Task:
        """Remove and return a task. Raises KeyError if there is none with this id."""
        self._marks.mark("task", task_id)
        return self._records.pop(task_id)

    def find(self, task_id: str, *, api: str, account: str) -> Task:
        """The account's task. Refuses with UnknownTask if it has none with this id."""
        task = self.get(task_id)
        if task is None or not task.belongs_to(api, account):
            raise UnknownTask("this account has no task with that id")
        return task
