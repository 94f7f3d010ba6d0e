"""The history of a world: what happened, with the world's time and the machine's time.

What belongs to a task is kept as long as the task. Everything else is bounded, and what is deleted
is counted.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from mock_server.core.clock import Clock, ClockMode
from mock_server.core.compact_ring import CompactRing
from mock_server.core.faults import Fault
from mock_server.core.field_types import Count
from mock_server.core.history_entries import (
    AttemptEnded,
    Change,
    ClockMove,
    DeliveryMove,
    FaultChange,
    KeptOfTask,
    RequestEnded,
    RequestStarted,
    TaskMove,
    request_entry,
)
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import PROCESSING, QUEUED
from mock_server.core.marks import Marks
from mock_server.core.ring import Ring
from mock_server.core.task_record import TaskRecord, TaskRecordState
from mock_server.core.tasks import Task


class HistoryState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a history, without the changes: they belong to the run of one server."""

    tasks: tuple[TaskRecordState, ...] = ()
    clock_moves: tuple[ClockMove, ...] = ()
    clock_moves_evicted: Count = 0
    fault_changes: tuple[FaultChange, ...] = ()
    fault_changes_evicted: Count = 0


class History:
    """What happened in a world.

    changes: the last events of every kind, in the order in which they happened.
    records: what is kept of each task, by its id.
    clock_moves, fault_changes: the last moves of the clock, and faults armed, removed and bitten.
    """

    def __init__(self, clock: Clock, max_entries: int, marks: Marks | None = None) -> None:
        """max_entries: the maximum of each list that does not belong to a task."""
        self._marks = marks or Marks()
        self._clock = clock
        self._max_entries = max_entries
        self.changes: CompactRing[Change] = CompactRing(max_entries, Change)
        self.records: dict[str, TaskRecord] = {}
        self.clock_moves: Ring[ClockMove] = Ring(max_entries)
        self.fault_changes: Ring[FaultChange] = Ring(max_entries)

    def state(self) -> HistoryState:
        """The state, readable."""
        return HistoryState(
            tuple(record.state(task_id) for task_id, record in self.records.items()),
            tuple(self.clock_moves),
            self.clock_moves.evicted,
            tuple(self.fault_changes),
            self.fault_changes.evicted,
        )

    def restore(self, state: HistoryState) -> None:
        """Replace the whole state. The changes begin again."""
        self.records = {each.task_id: TaskRecord.restored(each) for each in state.tasks}
        maximum = self._max_entries
        self.clock_moves = Ring(maximum, state.clock_moves, state.clock_moves_evicted)
        self.fault_changes = Ring(maximum, state.fault_changes, state.fault_changes_evicted)

    # --- requests -----------------------------------------------------------------------------

    def request_started(self, at_ms: int, wall_ms: int, request: str, method: str) -> None:
        """Note that a request has begun."""
        self.changes.add(RequestStarted(at_ms, wall_ms, request, method))

    def request_ended(self, exchange: Exchange, holds: Callable[[str], bool]) -> None:
        """Note that a request has ended. holds: whether a task has not ended yet."""
        entry, task_id = request_entry(exchange), exchange.task
        self.changes.add(entry)
        if task_id is None:
            for each in exchange.tasks:
                self._task_read(each, exchange, not holds(each))
        elif exchange.operation == "read":
            self._task_read(task_id, exchange, not holds(task_id))
        else:
            self._keep_request(task_id, exchange, entry)
        for fault_id in exchange.faults:
            self._add_fault_change(
                FaultChange(
                    exchange.started_ms,
                    exchange.started_wall_ms,
                    "bitten",
                    fault_id,
                    exchange.scenario,
                    exchange.channel,
                    "answer",
                    exchange.id,
                    exchange.task,
                )
            )

    def _task_read(self, task_id: str, exchange: Exchange, after_end: bool) -> None:
        """Note that a request has read a task. after_end: whether it had ended before that."""
        record = self.records.get(task_id)
        if record is not None:
            self._marks.mark_later("task", task_id)
            status = exchange.status
            self.records[task_id] = record.with_look(
                exchange.started_ms,
                exchange.started_wall_ms or 0,
                exchange.ended_by != "answered" or status is None or status >= 400,
                after_end,
            )

    def _keep_request(self, task_id: str, exchange: Exchange, entry: RequestEnded) -> None:
        """Keep a request about a task in its record: its create, or another one."""
        record = self.records.get(task_id)
        if record is None:
            return
        self._marks.mark_later("task", task_id)
        if exchange.operation == "create" and exchange.replay_of is None:
            answered = record.with_answer(
                exchange.ended_ms or 0,
                exchange.ended_wall_ms or 0,
                exchange.status,
                exchange.ended_by or "answered",
                exchange.sent_bytes,
            )
            self.records[task_id] = answered
        else:
            self.records[task_id] = record.with_event(entry)

    # --- tasks --------------------------------------------------------------------------------

    def task_made(
        self, task: Task, wall_ms: int, available_credits: int, exchange: Exchange | None
    ) -> None:
        """Note a new task. available_credits: of its account now. exchange: its create."""
        if exchange is None:
            create = 0, task.created_ms, wall_ms
        else:
            create = exchange.number, exchange.started_ms, exchange.started_wall_ms or wall_ms
        self.records[task.id] = TaskRecord.of_held(*create, wall_ms, available_credits)
        self.changes.add(TaskMove(task.created_ms, wall_ms, task.id, QUEUED))
        if (fault := task.planned.fault) is not None:
            request = None if exchange is None else exchange.id
            self._add_fault_change(
                FaultChange(
                    task.created_ms,
                    wall_ms,
                    "bitten",
                    fault,
                    task.planned.scenario,
                    concerns="task",
                    request=request,
                    task=task.id,
                )
            )

    def task_taken_up(self, task_id: str, at_ms: int, wall_ms: int) -> None:
        """Note that a task is processed from now on."""
        if (record := self.records.get(task_id)) is not None:
            self._marks.mark_later("task", task_id)
            self.records[task_id] = record.with_taken_up(wall_ms)
        self.changes.add(TaskMove(at_ms, wall_ms, task_id, PROCESSING))

    def task_ends_by_hand(self, task: Task) -> None:
        """Note that the control door ends a task."""
        if (record := self.records.get(task.id)) is not None:
            self.records[task.id] = record.with_hand()

    def task_ended(self, task: Task, wall_ms: int, available_credits: int) -> None:
        """Note that a task has ended. available_credits: of its account now."""
        at_ms, by_hand = task.planned.ends_ms, False
        if (record := self.records.get(task.id)) is not None:
            self.records[task.id] = record.with_end(wall_ms, available_credits)
            by_hand = record.was_ended_by_hand
        state = task.state_at(at_ms)
        self.changes.add(TaskMove(at_ms, wall_ms, task.id, state, "hand" if by_hand else "time"))

    # --- deliveries, the clock, faults --------------------------------------------------------

    def delivery_changed(self, move: DeliveryMove | AttemptEnded) -> None:
        """Note a new delivery, the end of an attempt, or a delivery that was given up."""
        self.changes.add(move)
        self._keep(move.task, move)

    def clock_changed(self, from_ms: int, from_wall_ms: int) -> None:
        """Note that the clock was moved since `from_ms`, or how it runs from now on."""
        clock = self._clock
        now_ms, scale = clock.now_ms(), clock.scale
        mode: ClockMode = "frozen" if clock.frozen else "real"
        move = ClockMove(from_ms, from_wall_ms, now_ms, mode, scale)
        self._marks.mark("history")
        self.changes.add(move)
        self.clock_moves.add(move)

    def fault_set(self, what: Literal["armed", "removed"], fault: Fault) -> None:
        """Note that a fault was armed or removed through the control door."""
        self._add_fault_change(FaultChange(*self._clock.moment(), what, fault.id, fault.scenario))

    def delivery_fault_happened(self, fault: Fault, task: Task) -> None:
        """Note that a fault changes the deliveries of a task."""
        moment, scenario = self._clock.moment(), fault.scenario
        channel = fault.channel or None
        self._add_fault_change(
            FaultChange(*moment, "bitten", fault.id, scenario, channel, "delivery", task=task.id)
        )

    def _add_fault_change(self, change: FaultChange) -> None:
        self._marks.mark("history")
        self.changes.add(change)
        self.fault_changes.add(change)
        if change.task is not None:
            self._keep(change.task, change)

    def _keep(self, task_id: str, event: KeptOfTask) -> None:
        if (record := self.records.get(task_id)) is not None:
            self._marks.mark("task", task_id)
            self.records[task_id] = record.with_event(event)
