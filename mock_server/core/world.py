"""The mutable state of one isolated run, and the rules applied to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.agenda import (
    TASK_ENDS,
    TASK_OCCASIONS,
    TASK_TAKEN_UP,
    Agenda,
    BrokenDue,
    Due,
)
from mock_server.core.chance import Chance
from mock_server.core.clock import Clock
from mock_server.core.counts import Counts
from mock_server.core.deliveries import Deliveries
from mock_server.core.dispatch import Dispatch
from mock_server.core.effects import NO_FAULT, DeliveryFault, Effect, TaskFault
from mock_server.core.endpoints import Endpoints
from mock_server.core.expiry import Expiry
from mock_server.core.faults import Fault, FaultRule, Faults, FaultTarget
from mock_server.core.history import History
from mock_server.core.idempotency import Idempotency, IdempotencyKey
from mock_server.core.ids import Ids, TaskId, unused_id
from mock_server.core.in_flight import InFlight
from mock_server.core.inbox import Inboxes
from mock_server.core.journal import Exchange, Journal
from mock_server.core.ledger import Ledger
from mock_server.core.lifecycle import (
    BROKE,
    RENDERED,
    USUAL_REASON,
    FailureReason,
    TaskEvent,
    TaskState,
)
from mock_server.core.lifetimes import Lifetimes
from mock_server.core.marks import Marks
from mock_server.core.rate import RateWindows
from mock_server.core.refusals import Conflict, DryRunEnded
from mock_server.core.spelling import Spelling
from mock_server.core.tasks import NEVER_MS, Order, PlannedOutcome, Task, Tasks, ended_at
from mock_server.core.uploads import Uploads


class WorldRules(Struct, frozen=True):
    """The settings of a world; times in milliseconds of its own clock.

    lifetimes: of each API; one without an entry keeps everything.
    """

    queued_ms: int = 200
    processing_ms: int = 800
    failure_rate: float = 0.0
    idempotency_lifetime_ms: int = 24 * 3600 * 1000
    lifetimes: dict[str, Lifetimes] = {}
    stored_upload_bytes: int = 1 << 30
    stored_uploads: int = 10_000
    webhook_endpoints: int = 1000
    journal_exchanges: int = 1000
    journal_body_bytes: int = 64 * 1024
    journal_header_bytes: int = 16 * 1024
    journal_archive_bytes: int = 8 * 1024 * 1024
    kept_deliveries: int = 10_000
    obey_retry_after: bool = True
    gone_disables: bool = False
    event_spelling: Spelling = "unusual"
    inboxes: int = 100
    inbox_bytes: int = 64 * 1024 * 1024
    inbox_requests: int = 1000
    inbox_body_bytes: int = 1024 * 1024
    history_entries: int = 10_000


@dataclass(eq=False, repr=False)
class World:
    """Clock, accounts, ledger, tasks, files, journal and history of one run.

    incarnation: differs from that of every other world, and of this one before a reset.

    Every method is synchronous. Call `catch_up` before reading state that depends on time; the
    server does so for each request.
    """

    name: str
    seed: int
    clock: Clock
    rules: WorldRules
    keys: KeyRing
    agenda: Agenda = field(default_factory=Agenda)
    counts: Counts = field(default_factory=Counts)
    task_ids: InitVar[Mapping[str, TaskId]] = MappingProxyType({})
    incarnation: str = ""
    marks: Marks = field(default_factory=Marks)

    def __post_init__(self, task_ids: Mapping[str, TaskId]) -> None:
        rules, marks = self.rules, self.marks
        self.tasks = Tasks(marks)
        self.rates = RateWindows(marks)
        self.history = History(self.clock, rules.history_entries, marks)
        add_change = self.history.changes.add
        self.ledger = Ledger(self.clock.moment, add_change, rules.history_entries, marks)
        self.chance = Chance(self.seed)
        self.ids = Ids(self.chance, task_ids)
        self.in_flight = InFlight(marks)
        self.idempotency = Idempotency(rules.idempotency_lifetime_ms, marks)
        self.uploads = Uploads(rules.stored_upload_bytes, rules.stored_uploads, marks)
        self.endpoints = Endpoints(rules.webhook_endpoints, marks)
        self.deliveries = Deliveries(rules.kept_deliveries, self.counts, marks)
        self.dispatch = Dispatch(
            self.clock,
            self.agenda,
            self.ids,
            self.endpoints,
            self.deliveries,
            self.history,
            rules.obey_retry_after,
            rules.gone_disables,
            self.counts,
        )
        self.inboxes = Inboxes(
            rules.inbox_requests,
            rules.inbox_body_bytes,
            rules.inboxes,
            rules.inbox_bytes,
            self.counts,
            marks=marks,
        )
        self.faults = Faults(self.chance)
        self.default_faults = Faults(self.chance, "default")
        self.task_faults: dict[str, Faults] = {}
        self.asked_faults: dict[str, Faults] = {}
        self.expiry = Expiry(
            self.clock,
            lifetimes=rules.lifetimes,
            tasks=self.tasks,
            uploads=self.uploads,
            idempotency=self.idempotency,
            history=self.history,
            task_faults=self.task_faults,
            marks=marks,
        )
        self.delivered_before_answer: set[str] = set()
        self.is_dry_run = False
        self.journal = Journal(
            rules.journal_exchanges,
            rules.journal_body_bytes,
            rules.journal_header_bytes,
            self.counts,
            rules.journal_archive_bytes,
            marks=marks,
        )

    def note_changes(self, on_now: Callable[[], None], on_later: Callable[[], None]) -> None:
        """Note every change in `marks` from now on. on_now, on_later: as for `Marks.listen`."""
        marks = self.marks
        marks.listen(on_now, on_later)
        self.clock.on_change = partial(marks.mark, "state")
        self.faults.on_change = partial(marks.mark, "faults", "fault")
        self.default_faults.on_change = partial(marks.mark, "faults", "default")
        for task_id, faults in self.task_faults.items():
            faults.on_change = partial(marks.mark, "task_faults", task_id)
        for asked, faults in self.asked_faults.items():
            faults.on_change = partial(marks.mark, "asked_faults", asked)

    def put_key(self, key: Key) -> None:
        """Add a key, in place of one with the same secret."""
        self.keys.put(key)
        self.marks.mark("credential", key.secret)

    def open_exchange(self, method: str, path: str) -> Exchange:
        """Add a new request to the journal."""
        exchange_id = self.request_id(self.journal.opened + 1)
        started_ms, wall_ms = self.clock.moment()
        self.history.request_started(started_ms, wall_ms, exchange_id, method)
        return self.journal.open(exchange_id, started_ms, method, path, wall_ms)

    def request_id(self, number: int) -> str:
        """The id of the world's n-th request."""
        return "req_" + self.ids.hex("request", number)

    def note_ended(self, exchange: Exchange) -> None:
        """Record in the history that a request of the journal has ended."""
        self.history.request_ended(exchange, self.ledger.holds)
        if self.marks.has_journal:
            self.marks.mark_later("journal")

    def add_fault(self, rule: FaultRule, scenario: str | None = None) -> Fault:
        """Add a fault that the control door requests."""
        fault = self.faults.add(rule, scenario)
        self.history.fault_set("armed", fault)
        return fault

    def remove_fault(self, fault: Fault) -> None:
        """Remove a fault that the control door has requested."""
        self.faults.remove(fault.id)
        self.history.fault_set("removed", fault)

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """A context that checks all rules and changes nothing: `submit` raises DryRunEnded."""
        rates, self.is_dry_run = self.rates.state(), True
        try:
            yield
        finally:
            self.is_dry_run = False
            self.rates.restore(rates)

    def faults_of_channel(self, account: str, channel: str, name: str) -> Faults:
        """The faults that an account requests by this name in this channel; empty at first."""
        asked = f"{account} {channel} {name}"
        if asked not in self.asked_faults:
            number = len(self.asked_faults) + 1
            faults = Faults(self.chance, f"asked_{number}")
            faults.on_change = partial(self.marks.mark, "asked_faults", asked)
            self.asked_faults[asked] = faults
            faults.on_change()
        return self.asked_faults[asked]

    def submit(
        self,
        order: Order,
        faults: Faults | None = None,
        exchange: Exchange | None = None,
        *,
        in_flight: int = 0,
    ) -> Task:
        """Make a task: reserve its price and plan its outcome. faults: those of this task alone.

        exchange: the request that makes it, for the history.
        in_flight: how many tasks of the key may not have ended; 0: any number.
        Refuses with TooManyInFlight and InsufficientCredits; then nothing has changed.
        """
        moment = now_ms, wall_ms = self.clock.moment()
        if in_flight or self.in_flight.account_limits:
            self._count_in_flight()
            self.in_flight.require_room(order, in_flight)
        if self.is_dry_run:
            self.ledger.require(order.account, order.price_credits)
            raise DryRunEnded
        made = len(self.tasks) + self.expiry.forgotten_tasks
        task_id = unused_id(partial(self.ids.task, order.api), made, self.tasks.get)
        request = None if exchange is None else exchange.id
        available_credits = self.ledger.reserve(
            order.account, task_id, order.price_credits, request, moment
        )
        self.counts.credits[order.api, "reserved"] += order.price_credits
        if faults:
            faults.decide_by_counts(fault_target(order))
            self.task_faults[task_id] = faults
            faults.on_change = partial(self.marks.mark, "task_faults", task_id)
            faults.on_change()
        task = Task(task_id, order, now_ms, self._planned_outcome(task_id, order, now_ms))
        self.tasks.add(task)
        self.history.task_made(task, wall_ms, available_credits, exchange)
        if self.in_flight.is_counting:
            self.in_flight.add(order)
        self.expiry.forget_due()
        self.agenda.add(task.planned.taken_up_ms, TASK_TAKEN_UP, task_id)
        if task.planned.ends_ms != NEVER_MS:
            self.agenda.add(task.planned.ends_ms, TASK_ENDS, task_id)
        return task

    def submit_once(
        self,
        order: Order,
        key: IdempotencyKey,
        faults: Faults | None = None,
        exchange: Exchange | None = None,
        *,
        in_flight: int = 0,
    ) -> Task:
        """Make a task, or return the task that was made with this key.

        exchange: this request; later replays name it. in_flight: as for `submit`.
        Refuses as `submit` and `Idempotency.task_of` do; then nothing has changed.
        """
        now_ms = self.clock.now_ms()
        earlier_id = self.idempotency.task_of(key, now_ms)
        if earlier_id is not None:
            return self.tasks[earlier_id]
        task = self.submit(order, faults, exchange, in_flight=in_flight)
        self.idempotency.keep(key, task.id, now_ms, "" if exchange is None else exchange.id)
        return task

    def finish(self, task: Task, outcome: TaskEvent, reason: FailureReason | None = None) -> Task:
        """End a task now with this outcome. Refuses with Conflict if it has ended already.

        reason: why it fails; None: as planned."""
        now_ms = self.clock.now_ms()
        if not self.ledger.holds(task.id):
            raise Conflict(f"the task has ended already: it {task.state_at(now_ms).value}")
        ended = ended_at(now_ms, task, outcome, reason)
        self.tasks.add(ended)
        self.history.task_ends_by_hand(ended)
        self.agenda.add(now_ms, TASK_ENDS, task.id)
        return ended

    def _count_in_flight(self) -> None:
        """Begin to count the tasks that have not ended, unless they are counted already."""
        if not self.in_flight.is_counting:
            running = (task.order for task in self.tasks if self.ledger.holds(task.id))
            self.in_flight.start_counting(running)

    def state_of(self, task: Task) -> TaskState:
        """The task's state now."""
        return task.state_at(self.clock.now_ms())

    def _planned_outcome(self, task_id: str, order: Order, now_ms: int) -> PlannedOutcome:
        rate = self.rules.failure_rate
        fails = rate > 0 and self.chance.fraction("failure", task_id) < rate
        planned = PlannedOutcome(
            taken_up_ms=now_ms + self.rules.queued_ms,
            ends_ms=now_ms + self.rules.queued_ms + self.rules.processing_ms,
            outcome=BROKE if fails else RENDERED,
            reason=self._drawn_reason(task_id) if fails else USUAL_REASON,
        )
        fault = self._match_first(task_id, order, TaskFault)
        if fault is None or not isinstance(fault.rule.effect, TaskFault):
            return planned.capped()
        if fault.rule.effect.delivered_before_answer:
            self.delivered_before_answer.add(task_id)
        changed = fault.rule.effect.applied_to(planned, now_ms).capped()
        return replace(changed, fault=fault.id, scenario=fault.scenario)

    def _drawn_reason(self, task_id: str) -> FailureReason:
        reasons: tuple[FailureReason, ...] = get_args(FailureReason)
        return reasons[int(len(reasons) * self.chance.fraction("failure reason", task_id))]

    def delivery_fault(self, task: Task) -> DeliveryFault:
        """The fault of the deliveries for this task's end."""
        fault = self._match_first(task.id, task.order, DeliveryFault)
        if fault is None or not isinstance(fault.rule.effect, DeliveryFault):
            return NO_FAULT
        self.history.delivery_fault_happened(fault, task)
        return fault.rule.effect

    def _match_first(self, task_id: str, order: Order, kind: type[Effect]) -> Fault | None:
        """The fault of a task or its deliveries; those set by hand come first."""
        target: FaultTarget | None = None
        if self.faults.is_empty and self.default_faults.is_empty and not self.task_faults:
            return None
        for faults in (self.faults, self.task_faults.get(task_id), self.default_faults):
            if faults is not None and not faults.is_empty and faults.of_kind(kind):
                target = target or fault_target(order)
                if (fault := faults.match_first(target, kind)) is not None:
                    return fault
        return None

    def catch_up(self) -> list[Due]:
        """Apply and return all due entries, oldest first; one that raises becomes a BrokenDue."""
        happened: list[Due] = []
        if self.agenda.next_ms() is None:
            return happened
        now_ms, wall_ms = self.clock.moment()
        while due_at_once := self.agenda.take_due(now_ms):
            for due in due_at_once:
                try:
                    if self._apply(due, wall_ms):
                        happened.append(due)
                except Exception as error:  # noqa: BLE001 the caller logs it
                    happened.append(BrokenDue(due.at_ms, due.occasion, due.subject, error))
        return happened

    def _apply(self, due: Due, wall_ms: int) -> bool:
        """Apply it and return True; False if its task was ended by hand before."""
        task_id, occasion = due.subject, due.occasion
        if occasion not in TASK_OCCASIONS:
            return True
        if not self.ledger.holds(task_id):
            return False
        if occasion is TASK_TAKEN_UP:
            self.history.task_taken_up(task_id, due.at_ms, wall_ms)
            return True
        task = self.tasks[task_id]
        order, planned = task.order, task.planned
        if self.in_flight.is_counting:
            self.in_flight.remove(order)
        self.expiry.task_ended(task)
        moment = planned.ends_ms, wall_ms
        if planned.outcome is RENDERED:
            available_credits = self.ledger.settle(task_id, moment)
            movement = "spent"
        else:
            available_credits = self.ledger.release(task_id, moment)
            movement = "released"
        self.counts.credits[order.api, movement] += order.price_credits
        self.history.task_ended(task, wall_ms, available_credits)
        return True


def fault_target(order: Order) -> FaultTarget:
    """The target for the faults of this order's task."""
    request: dict[str, Any] = msgspec.json.decode(order.request)
    prompt = request.get("prompt", "")
    return FaultTarget(order.api, "create", order.account, order.model, prompt)
