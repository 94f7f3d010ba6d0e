"""One isolated run: everything that can change, in one place. It composes; it does not decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.agenda import Agenda, BrokenDue, Due, Occasion
from mock_server.core.chance import Chance
from mock_server.core.clock import Clock, capped_ms
from mock_server.core.deliveries import Attempt, Deliveries, Delivery, DeliveryState, Owed
from mock_server.core.delivery_faults import SOUND, DeliveryFault
from mock_server.core.endpoints import Endpoint, Endpoints, EndpointStatus, new_secret
from mock_server.core.faults import Effect, Fault, Faults, Situation
from mock_server.core.idempotency import Idempotency, IdempotencyKey
from mock_server.core.ids import Ids
from mock_server.core.inbox import Inboxes
from mock_server.core.journal import Exchange, Journal
from mock_server.core.ledger import Ledger
from mock_server.core.lifecycle import TaskEvent, TaskState
from mock_server.core.rate import RateWindows
from mock_server.core.refusals import Conflict, Rehearsed
from mock_server.core.task_faults import TaskFault
from mock_server.core.tasks import NEVER_MS, Fate, Order, Task, Tasks
from mock_server.core.uploads import StoredFile, Uploads


@dataclass(frozen=True, slots=True)
class WorldRules:
    """The numbers a world runs by; times in milliseconds of its own clock."""

    queued_ms: int = 200
    processing_ms: int = 800
    failure_rate: float = 0.0
    idempotency_lifetime_ms: int = 24 * 3600 * 1000
    stored_upload_bytes: int = 1 << 30
    stored_uploads: int = 10_000
    webhook_endpoints: int = 1000
    journal_exchanges: int = 1000
    journal_body_bytes: int = 64 * 1024
    journal_header_bytes: int = 16 * 1024
    kept_deliveries: int = 10_000
    obey_retry_after: bool = True
    gone_disables: bool = False
    inboxes: int = 100
    inbox_bytes: int = 64 * 1024 * 1024
    inbox_requests: int = 1000
    inbox_body_bytes: int = 1024 * 1024


@dataclass
class World:
    """Clock, accounts, ledger, tasks, files and journal of one run.

    Nothing here waits: a change is whole when the method returns. `catch_up` must be called
    before time-dependent state is read; the server does so when a request comes in.
    """

    name: str
    seed: int
    clock: Clock
    rules: WorldRules
    keys: KeyRing
    ledger: Ledger = field(default_factory=Ledger)
    agenda: Agenda = field(default_factory=Agenda)
    tasks: Tasks = field(default_factory=Tasks)
    rates: RateWindows = field(default_factory=RateWindows)

    def __post_init__(self) -> None:
        self.chance = Chance(self.seed)
        self.ids = Ids(self.chance)
        self.idempotency = Idempotency(self.rules.idempotency_lifetime_ms)
        self.uploads = Uploads(self.rules.stored_upload_bytes, self.rules.stored_uploads)
        self.endpoints = Endpoints(self.rules.webhook_endpoints)
        self.deliveries = Deliveries(self.rules.kept_deliveries)
        self.inboxes = Inboxes(
            self.rules.inbox_requests,
            self.rules.inbox_body_bytes,
            self.rules.inboxes,
            self.rules.inbox_bytes,
        )
        self.faults = Faults(self.chance)
        self.default_faults = Faults(self.chance, "default")
        self.task_faults: dict[str, Faults] = {}
        self.asked_faults: dict[str, Faults] = {}
        self.told_before_answer: set[str] = set()
        self.is_rehearsal = False
        self._held_back: dict[str, list[Delivery]] = {}
        self.journal = Journal(
            self.rules.journal_exchanges,
            self.rules.journal_body_bytes,
            self.rules.journal_header_bytes,
        )

    # --- requests ---

    def open_exchange(self, method: str, path: str) -> Exchange:
        """A request came in."""
        number = self.journal.opened + 1
        return self.journal.open(
            "req_" + self.ids.hex("request", number), self.clock.now_ms(), method, path
        )

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Within it every rule is asked and nothing changes: `submit` raises Rehearsed instead."""
        rates, self.rates, self.is_rehearsal = self.rates, self.rates.copy(), True
        try:
            yield
        finally:
            self.rates, self.is_rehearsal = rates, False

    def faults_asked(self, account: str, channel: str, name: str) -> Faults:
        """What an account asks for by name in one way, with its counts; empty the first time."""
        asked = f"{account} {channel} {name}"
        if asked not in self.asked_faults:
            number = len(self.asked_faults) + 1
            self.asked_faults[asked] = Faults(self.chance, f"asked_{number}")
        return self.asked_faults[asked]

    # --- tasks ---

    def submit(self, order: Order, faults: Faults | None = None) -> Task:
        """Accept one generation: its price is held and its fate is settled.

        faults: what is to go wrong with this task, whatever happens to it.
        Refuses with InsufficientCredits; then nothing has changed.
        """
        now_ms = self.clock.now_ms()
        if self.is_rehearsal:
            self.ledger.require(order.account, order.price_credits)
            raise Rehearsed
        task_id = _free_id(
            lambda number: self.ids.task(order.api, number), len(self.tasks) + 1, self.tasks.get
        )
        self.ledger.reserve(order.account, task_id, order.price_credits)
        if faults:
            faults.settle(situation_of(order))
            self.task_faults[task_id] = faults
        task = Task(task_id, order, now_ms, self._fate(task_id, order, now_ms))
        self.tasks.add(task)
        self.agenda.note(task.fate.taken_up_ms, Occasion.TASK_TAKEN_UP, task_id)
        if task.fate.ends_ms != NEVER_MS:
            self.agenda.note(task.fate.ends_ms, Occasion.TASK_ENDS, task_id)
        return task

    def submit_once(
        self, order: Order, key: IdempotencyKey, faults: Faults | None = None, request: str = ""
    ) -> Task:
        """Accept one generation, or find the one this key led to before: never two.

        request: the id of the request, for those that find its task.
        Refuses as `submit` and `Idempotency.task_of` do; then nothing has changed.
        """
        now_ms = self.clock.now_ms()
        earlier_id = self.idempotency.task_of(key, now_ms)
        if earlier_id is not None:
            return self.tasks[earlier_id]
        task = self.submit(order, faults)
        self.idempotency.keep(key, task.id, now_ms, request)
        return task

    def finish(self, task: Task, outcome: TaskEvent) -> Task:
        """End a task now, with this outcome. Refuses with Conflict if it has ended already."""
        now_ms = self.clock.now_ms()
        if not self.ledger.holds(task.id):
            raise Conflict(f"the task has ended already: it {task.state_at(now_ms).value}")
        fate = Fate(min(task.fate.taken_up_ms, now_ms), now_ms, outcome)
        ended = replace(task, fate=fate)
        self.tasks.add(ended)
        self.agenda.note(now_ms, Occasion.TASK_ENDS, task.id)
        return ended

    def state_of(self, task: Task) -> TaskState:
        """The task's state now."""
        return task.state_at(self.clock.now_ms())

    def _fate(self, task_id: str, order: Order, now_ms: int) -> Fate:
        rate = self.rules.failure_rate
        breaks = rate > 0 and self.chance.fraction("failure", task_id) < rate
        fate = Fate(
            taken_up_ms=now_ms + self.rules.queued_ms,
            ends_ms=now_ms + self.rules.queued_ms + self.rules.processing_ms,
            outcome=TaskEvent.BROKE if breaks else TaskEvent.RENDERED,
        )
        fault = self._strike(task_id, order, TaskFault)
        if fault is None or not isinstance(fault.rule.effect, TaskFault):
            return fate.within_time()
        if fault.rule.effect.told_before_answer:
            self.told_before_answer.add(task_id)
        changed = fault.rule.effect.changed(fate, now_ms).within_time()
        return replace(changed, fault=fault.id, scenario=fault.scenario)

    # --- files ---

    def store_file(
        self,
        *,
        account: str,
        kind: str,
        name: str,
        mime_type: str,
        size_bytes: int,
        duration_s: float | None,
        content: str,
    ) -> StoredFile:
        """Keep what is known of an upload that has passed `check_upload`.

        Refuses with Invalid if the world has no room for it; then nothing is kept.
        """
        file = StoredFile(
            id=_free_id(
                lambda number: "file_" + self.ids.hex("file", number),
                len(self.uploads) + 1,
                self.uploads.get,
            ),
            account=account,
            kind=kind,
            name=name,
            mime_type=mime_type,
            size_bytes=size_bytes,
            duration_s=duration_s,
            content=content,
            created_ms=self.clock.now_ms(),
        )
        self.uploads.add(file)
        return file

    # --- webhook endpoints and deliveries ---

    def register_endpoint(
        self, *, account: str, name: str, url: str, event_types: tuple[str, ...]
    ) -> Endpoint:
        """An endpoint with a secret of its own; it is told of what happens from now on.

        Refuses with Invalid if the world has as many endpoints as it may have.
        """
        self.endpoints.require_room()
        now_ms = self.clock.now_ms()
        endpoint_id = _free_id(
            lambda number: "whend_" + self.ids.hex("endpoint", number),
            len(self.endpoints) + 1,
            self.endpoints.get,
        )
        secret = new_secret(self.chance, endpoint_id)
        endpoint = Endpoint(endpoint_id, account, name, url, event_types, secret, now_ms, now_ms)
        self.endpoints.add(endpoint)
        return endpoint

    def owe(self, owed: Owed, fault: DeliveryFault = SOUND) -> list[Delivery]:
        """Have an event delivered, at once and once unless `fault` has it otherwise.

        The answer holds every copy; none is in it if the event is never sent.
        """
        due_ms = fault.due_ms(self.clock.now_ms())
        return [self._owe_at(at_ms, owed, fault) for at_ms in due_ms]

    def _owe_at(self, at_ms: int, owed: Owed, fault: DeliveryFault) -> Delivery:
        delivery_id = _free_id(
            lambda number: "delivery_" + self.ids.hex("delivery", number),
            self.deliveries.made + 1,
            self.deliveries.get,
        )
        delivery = Delivery(
            delivery_id, owed.event, owed.url, owed.waits_ms, owed.endpoint_id, fault
        )
        self.deliveries.add(delivery)
        if fault.after_next and delivery.receiver not in self._held_back:
            self.hold_back(delivery, delivery.receiver)
        else:
            self._note_attempt(delivery, at_ms)
        return delivery

    def delivery_fault(self, task: Task) -> DeliveryFault:
        """How the news of this task's end goes wrong."""
        fault = self._strike(task.id, task.order, DeliveryFault)
        if fault is None or not isinstance(fault.rule.effect, DeliveryFault):
            return SOUND
        return fault.rule.effect

    def _strike(self, task_id: str, order: Order, kind: type[Effect]) -> Fault | None:
        """What goes wrong with a task or its deliveries: first what was set by hand."""
        situation: Situation | None = None
        for faults in (self.faults, self.task_faults.get(task_id), self.default_faults):
            if faults and faults.of_kind(kind):
                situation = situation or situation_of(order)
                if (fault := faults.strike(situation, kind)) is not None:
                    return fault
        return None

    def redeliver(self, delivery: Delivery) -> None:
        """Have the next attempt now: one more if the delivery is over, else the one it waits for.

        Refuses with Conflict if an attempt is under way, or has come due and waits for its turn.
        """
        waiting = self._held_back.get(delivery.receiver, [])
        if delivery in waiting:
            waiting.remove(delivery)
            if not waiting:
                del self._held_back[delivery.receiver]
        elif delivery.is_taken_up:
            raise Conflict("an attempt is under way or waits for its turn; wait for its end")
        delivery.given_up = None
        delivery.state = DeliveryState.PENDING
        now_ms = self.clock.now_ms()
        if delivery.next_attempt_ms != now_ms:  # else it has just been asked for
            self._note_attempt(delivery, now_ms)

    def take_up(self, due: Due) -> Delivery | None:
        """The delivery whose attempt is due, to be tried; None if it was tried at another time."""
        delivery = self.deliveries.get(due.subject)
        if delivery is None or delivery.next_attempt_ms != due.at_ms:
            return None
        delivery.next_attempt_ms = None
        return delivery

    def give_up(self, delivery: Delivery, reason: str) -> None:
        """Try a delivery no more."""
        delivery.give_up(reason)
        self.deliveries.is_over(delivery)
        self._let_go_behind(delivery)

    def end_attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        """An attempt is over: the next one is noted, or the delivery is over as well."""
        now_ms = self.clock.now_ms()
        if not self.rules.obey_retry_after:
            attempt.retry_after_s = None
        delivery.end_attempt(attempt, now_ms)
        self.deliveries.attempted += 1
        endpoint = self.endpoints.get(delivery.endpoint_id or "")
        if endpoint is not None:
            endpoint.note_attempt(was_taken=attempt.was_taken, now_ms=now_ms)
            if attempt.status == 410 and self.rules.gone_disables and endpoint.is_active:
                endpoint.set_status(EndpointStatus.DISABLED, now_ms)
        if delivery.next_attempt_ms is not None:
            self._note_attempt(delivery, delivery.next_attempt_ms)
        else:
            self.deliveries.is_over(delivery)
        self._let_go_behind(delivery)

    @property
    def held_back(self) -> Mapping[str, Sequence[Delivery]]:
        """What waits until a newer event for the same receiver has been tried."""
        return self._held_back

    def hold_back(self, delivery: Delivery, receiver: str) -> None:
        """Have a delivery wait until a newer event for the same receiver has been tried."""
        self._held_back.setdefault(receiver, []).append(delivery)

    def _let_go_behind(self, tried: Delivery) -> None:
        """Try those that waited for this event."""
        for waiting in self._held_back.pop(tried.receiver, ()):
            if waiting.event.created_ms > tried.event.created_ms:
                self.hold_back(waiting, tried.receiver)
            else:
                self._note_attempt(waiting, self.clock.now_ms())

    def _note_attempt(self, delivery: Delivery, at_ms: int) -> None:
        at_ms = capped_ms(at_ms)
        delivery.next_attempt_ms = at_ms
        self.agenda.note(at_ms, Occasion.ATTEMPT_DUE, delivery.id)

    # --- time ---

    def catch_up(self) -> list[Due]:
        """Let everything happen that has come due by now, oldest first, and say what it was.

        What breaks is a BrokenDue; everything else happens all the same.
        """
        happened: list[Due] = []
        if self.agenda.next_ms() is None:
            return happened
        now_ms = self.clock.now_ms()
        while due_at_once := self.agenda.take_due(now_ms):
            for due in due_at_once:
                try:
                    if self._happens(due):
                        happened.append(due)
                except Exception as error:  # noqa: BLE001 the caller logs it
                    happened.append(BrokenDue(due.at_ms, due.occasion, due.subject, error))
        return happened

    def _happens(self, due: Due) -> bool:
        """Let it happen, unless the task was ended in another way meanwhile."""
        if due.occasion in _OF_TASKS and not self.ledger.holds(due.subject):
            return False
        if due.occasion is Occasion.TASK_ENDS:
            if self.tasks[due.subject].fate.outcome is TaskEvent.RENDERED:
                self.ledger.settle(due.subject)
            else:
                self.ledger.release(due.subject)
        return True


_OF_TASKS = (Occasion.TASK_TAKEN_UP, Occasion.TASK_ENDS)


def _free_id(numbered: Callable[[int], str], number: int, known: Callable[[str], object]) -> str:
    """The id with this number, or with the next that nothing has: a snapshot may have gaps.

    known: what has an id; None if nothing does.
    """
    while known(found := numbered(number)) is not None:
        number += 1
    return found


def situation_of(order: Order) -> Situation:
    """What a fault is matched against when it concerns the task of this order."""
    request: dict[str, Any] = msgspec.json.decode(order.request)
    prompt = request.get("prompt", "")
    return Situation(order.api, "create", order.account, order.model, prompt)


def make_world(
    name: str,
    *,
    seed: int,
    clock: Clock,
    rules: WorldRules,
    credits_of: Mapping[str, int],
    keys: Iterable[Key],
) -> World:
    """A fresh world in which each account has been granted its credits."""
    world = World(name, seed, clock, rules, KeyRing(keys))
    for account, credits in credits_of.items():
        world.ledger.grant(account, credits)
    return world
