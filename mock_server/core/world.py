"""One isolated run: everything that can change, in one place. It composes; it does not decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mock_server.core.accounts import Key, KeyRing
from mock_server.core.agenda import Agenda, Due, Occasion
from mock_server.core.chance import Chance
from mock_server.core.clock import Clock
from mock_server.core.deliveries import Attempt, Deliveries, Delivery, DeliveryState, Event
from mock_server.core.endpoints import Endpoint, Endpoints, new_secret
from mock_server.core.idempotency import Idempotency, IdempotencyKey
from mock_server.core.ids import Ids
from mock_server.core.journal import Exchange, Journal
from mock_server.core.ledger import Ledger
from mock_server.core.lifecycle import TaskEvent, TaskState
from mock_server.core.rate import RateWindows
from mock_server.core.tasks import Fate, Order, Task, Tasks
from mock_server.core.uploads import StoredFile, Uploads


@dataclass(frozen=True, slots=True)
class WorldRules:
    """The numbers a world runs by; times in milliseconds of its own clock."""

    queued_ms: int = 200
    processing_ms: int = 800
    failure_rate: float = 0.0
    idempotency_lifetime_ms: int = 24 * 3600 * 1000
    stored_upload_bytes: int = 1 << 30
    journal_exchanges: int = 1000
    journal_body_bytes: int = 64 * 1024
    kept_deliveries: int = 10_000


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
        self.uploads = Uploads(self.rules.stored_upload_bytes)
        self.endpoints = Endpoints()
        self.deliveries = Deliveries(self.rules.kept_deliveries)
        self.journal = Journal(self.rules.journal_exchanges, self.rules.journal_body_bytes)

    # --- requests ---

    def open_exchange(self, method: str, path: str) -> Exchange:
        """A request came in."""
        number = self.journal.opened + 1
        return self.journal.open(
            "req_" + self.ids.hex("request", number), self.clock.now_ms(), method, path
        )

    # --- tasks ---

    def submit(self, order: Order) -> Task:
        """Accept one generation: its price is held and its fate is settled.

        Refuses with InsufficientCredits; then nothing has changed.
        """
        now_ms = self.clock.now_ms()
        task_id = self.ids.task(order.api, len(self.tasks) + 1)
        self.ledger.reserve(order.account, task_id, order.price_credits)
        task = Task(task_id, order, now_ms, self._fate(task_id, now_ms))
        self.tasks.add(task)
        self.agenda.note(task.fate.taken_up_ms, Occasion.TASK_TAKEN_UP, task_id)
        return task

    def submit_once(self, order: Order, key: IdempotencyKey) -> Task:
        """Accept one generation, or find the one this key led to before: never two.

        Refuses as `submit` and `Idempotency.task_of` do; then nothing has changed.
        """
        now_ms = self.clock.now_ms()
        earlier_id = self.idempotency.task_of(key, now_ms)
        if earlier_id is not None:
            return self.tasks[earlier_id]
        task = self.submit(order)
        self.idempotency.keep(key, task.id, now_ms)
        return task

    def state_of(self, task: Task) -> TaskState:
        """The task's state now."""
        return task.state_at(self.clock.now_ms())

    def _fate(self, task_id: str, now_ms: int) -> Fate:
        taken_up_ms = now_ms + self.rules.queued_ms
        rate = self.rules.failure_rate
        breaks = rate > 0 and self.chance.fraction("failure", task_id) < rate
        return Fate(
            taken_up_ms=taken_up_ms,
            ends_ms=taken_up_ms + self.rules.processing_ms,
            outcome=TaskEvent.BROKE if breaks else TaskEvent.RENDERED,
        )

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
            id="file_" + self.ids.hex("file", len(self.uploads) + 1),
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
        """An endpoint with a secret of its own; it is told of what happens from now on."""
        now_ms = self.clock.now_ms()
        endpoint_id = "whend_" + self.ids.hex("endpoint", len(self.endpoints) + 1)
        secret = new_secret(self.chance, endpoint_id)
        endpoint = Endpoint(endpoint_id, account, name, url, event_types, secret, now_ms, now_ms)
        self.endpoints.add(endpoint)
        return endpoint

    def owe(
        self, event: Event, url: str, waits_ms: tuple[int, ...], endpoint_id: str | None = None
    ) -> Delivery:
        """Have an event delivered to a receiver: the first attempt is due at once."""
        delivery_id = "delivery_" + self.ids.hex("delivery", self.deliveries.made + 1)
        delivery = Delivery(delivery_id, event, url, waits_ms, endpoint_id)
        self.deliveries.add(delivery)
        self._note_attempt(delivery, self.clock.now_ms())
        return delivery

    def redeliver(self, delivery: Delivery) -> None:
        """Try once more, at once, however the delivery stands."""
        delivery.state = DeliveryState.PENDING
        self._note_attempt(delivery, self.clock.now_ms())

    def give_up(self, delivery: Delivery) -> None:
        """Try a delivery no more."""
        delivery.give_up()
        self.deliveries.is_over(delivery)

    def end_attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        """An attempt is over: the next one is noted, or the delivery is over as well."""
        now_ms = self.clock.now_ms()
        delivery.end_attempt(attempt, now_ms)
        endpoint = self.endpoints.get(delivery.endpoint_id or "")
        if endpoint is not None:
            endpoint.note_attempt(was_taken=attempt.was_taken, now_ms=now_ms)
        if delivery.next_attempt_ms is not None:
            self._note_attempt(delivery, delivery.next_attempt_ms)
        else:
            self.deliveries.is_over(delivery)

    def _note_attempt(self, delivery: Delivery, at_ms: int) -> None:
        delivery.next_attempt_ms = at_ms
        self.agenda.note(at_ms, Occasion.ATTEMPT_DUE, delivery.id)

    # --- time ---

    def catch_up(self) -> list[Due]:
        """Let everything happen that has come due by now, oldest first, and say what it was."""
        happened: list[Due] = []
        now_ms = self.clock.now_ms()
        while (due := self.agenda.take_due(now_ms)) is not None:
            self._happen(due)
            happened.append(due)
        return happened

    def _happen(self, due: Due) -> None:
        if due.occasion is Occasion.TASK_TAKEN_UP:
            self.agenda.note(self.tasks[due.subject].fate.ends_ms, Occasion.TASK_ENDS, due.subject)
        elif due.occasion is Occasion.TASK_ENDS:
            if self.tasks[due.subject].fate.outcome is TaskEvent.RENDERED:
                self.ledger.settle(due.subject)
            else:
                self.ledger.release(due.subject)


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
