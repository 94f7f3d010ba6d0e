"""Decides when each delivery of a world is attempted, and what follows from each attempt."""

from dataclasses import dataclass, field

from mock_server.core.agenda import Agenda, Due, Occasion
from mock_server.core.clock import Clock, capped_ms
from mock_server.core.counts import Counts
from mock_server.core.deliveries import Attempt, Deliveries, Delivery, DeliveryState, PendingEvent
from mock_server.core.effects import NO_FAULT, DeliveryFault
from mock_server.core.endpoints import Endpoint, Endpoints, EndpointStatus, new_secret
from mock_server.core.history import History
from mock_server.core.history_entries import AttemptEnded, DeliveryMove
from mock_server.core.ids import Ids
from mock_server.core.refusals import Conflict


@dataclass(eq=False, repr=False)
class Dispatch:
    """The schedule of a world's deliveries. It adds due times to the agenda; it sends nothing.

    obey_retry_after, gone_disables: as in WorldRules.
    held_back: deliveries, by receiver, that wait for the attempt of a newer event.
    """

    clock: Clock
    agenda: Agenda
    ids: Ids
    endpoints: Endpoints
    deliveries: Deliveries
    history: History
    obey_retry_after: bool
    gone_disables: bool
    counts: Counts = field(default_factory=Counts)
    held_back: dict[str, list[Delivery]] = field(default_factory=dict)

    def register_endpoint(
        self, *, account: str, name: str, url: str, event_types: tuple[str, ...]
    ) -> Endpoint:
        """A new active endpoint with its own secret. Refuses with Invalid if there is no room."""
        self.endpoints.require_room()
        now_ms = self.clock.now_ms()
        endpoint_id = self.ids.unused("whend_", "endpoint", len(self.endpoints), self.endpoints.get)
        secret = new_secret(self.ids.chance, endpoint_id)
        endpoint = Endpoint(endpoint_id, account, name, url, event_types, secret, now_ms, now_ms)
        self.endpoints.add(endpoint)
        return endpoint

    def schedule(self, pending: PendingEvent, fault: DeliveryFault = NO_FAULT) -> list[Delivery]:
        """The deliveries of an event, scheduled: one, due now, unless `fault` changes that."""
        due_ms = fault.first_attempts_ms(self.clock.now_ms())
        return [self._schedule_at(at_ms, pending, fault) for at_ms in due_ms]

    def delivery_of(
        self, pending: PendingEvent, fault: DeliveryFault = NO_FAULT, *, before: int = 0
    ) -> Delivery:
        """The delivery that `schedule` would make, not scheduled.

        before: the number of deliveries that would be made before it.
        """
        made = self.deliveries.made + before
        return Delivery(
            self.ids.unused("delivery_", "delivery", made, self.deliveries.get),
            pending.event,
            pending.url,
            pending.waits_ms,
            pending.endpoint_id,
            fault,
        )

    def _schedule_at(self, at_ms: int, pending: PendingEvent, fault: DeliveryFault) -> Delivery:
        delivery = self.delivery_of(pending, fault)
        self.deliveries.add(delivery)
        self.history.delivery_changed(self._move(delivery))
        if fault.after_next and delivery.receiver not in self.held_back:
            self.hold_back(delivery)
        else:
            self._schedule_attempt(delivery, at_ms)
        return delivery

    def hold_back(self, delivery: Delivery) -> None:
        """Delay a delivery until a newer event for the same receiver has been attempted."""
        self.held_back.setdefault(delivery.receiver, []).append(delivery)

    def take_due(self, due: Due) -> Delivery | None:
        """The delivery whose attempt is due; None if its attempt was moved to another time."""
        delivery = self.deliveries.get(due.subject)
        if delivery is None or delivery.next_attempt_ms != due.at_ms:
            return None
        delivery.next_attempt_ms = None
        self.deliveries.note_change(delivery)
        return delivery

    def begin_attempt(self, delivery: Delivery) -> Attempt:
        """Add an attempt that starts now."""
        attempt = delivery.begin_attempt(self.clock.now_ms())
        attempt.started_wall_ms = self.clock.wall_ms()
        self.deliveries.note_change(delivery)
        return attempt

    def end_attempt(self, delivery: Delivery, attempt: Attempt) -> None:
        """End an attempt: schedule the next one, or end the delivery.

        An active endpoint that answers 410 is disabled if `gone_disables` is set.
        """
        now_ms = self.clock.now_ms()
        if not self.obey_retry_after:
            attempt.retry_after_s = None
        delivery.end_attempt(attempt, now_ms)
        attempt.ended_wall_ms = self.clock.wall_ms()
        self.deliveries.attempted += 1
        self.counts.attempts[delivery.event.api, attempt.kind_of_outcome] += 1
        endpoint = self.endpoints.get(delivery.endpoint_id or "")
        if endpoint is not None:
            self.endpoints.note_change(endpoint)
            endpoint.record_attempt(was_accepted=attempt.was_accepted, now_ms=now_ms)
            if attempt.status == 410 and self.gone_disables and endpoint.is_active:
                endpoint.set_status(EndpointStatus.DISABLED, now_ms)
        if delivery.next_attempt_ms is not None:
            self._schedule_attempt(delivery, delivery.next_attempt_ms)
        else:
            self.deliveries.mark_over(delivery)
        self.history.delivery_changed(_attempt_entry(delivery, attempt))
        self._release_older(delivery)

    def resume(self) -> int:
        """Make all deliveries due whose attempts ended with an earlier process. The outcome of an
        attempt that had begun is unknown. Returns the number of such attempts."""
        held_back = {each.id for waiting in self.held_back.values() for each in waiting}
        due = {each.subject for each in self.agenda if each.occasion is Occasion.ATTEMPT_DUE}
        unknown = 0
        for delivery in self.deliveries:
            if delivery.is_under_way:
                unknown += 1
                self._note_unknown_outcome(delivery)
            elif delivery.state is DeliveryState.PENDING and delivery.id not in held_back | due:
                self._schedule_attempt(delivery, self.clock.now_ms())
        return unknown

    def _note_unknown_outcome(self, delivery: Delivery) -> None:
        attempt = delivery.attempts[-1]
        attempt.ended_ms, attempt.ended_wall_ms = self.clock.moment()
        attempt.status = None
        attempt.error = "outcome unknown: the server ended during this attempt"
        self.deliveries.attempted += 1
        self.counts.attempts[delivery.event.api, attempt.kind_of_outcome] += 1
        delivery.state = DeliveryState.PENDING
        self._schedule_attempt(delivery, self.clock.now_ms())
        self.history.delivery_changed(_attempt_entry(delivery, attempt))

    def give_up(self, delivery: Delivery, reason: str) -> None:
        """End a delivery as failed; it is not attempted again."""
        delivery.give_up(reason)
        self.history.delivery_changed(self._move(delivery, reason))
        self.deliveries.mark_over(delivery)
        self._release_older(delivery)

    def redeliver(self, delivery: Delivery) -> None:
        """Schedule an attempt for now: the pending one, or one more if the delivery is over.

        Refuses with Conflict if an attempt is under way or waits for a free sender.
        """
        waiting = self.held_back.get(delivery.receiver, [])
        if delivery in waiting:
            waiting.remove(delivery)
            if not waiting:
                del self.held_back[delivery.receiver]
        elif delivery.state is DeliveryState.PENDING and delivery.next_attempt_ms is None:
            raise Conflict("an attempt is under way or waits for its turn; wait for its end")
        delivery.given_up = None
        delivery.state = DeliveryState.PENDING
        now_ms = self.clock.now_ms()
        if delivery.next_attempt_ms != now_ms:  # else it is in the agenda already
            self._schedule_attempt(delivery, now_ms)

    def _release_older(self, attempted: Delivery) -> None:
        """Schedule the deliveries that were held back until this one was attempted."""
        for waiting in self.held_back.pop(attempted.receiver, ()):
            if waiting.event.created_ms > attempted.event.created_ms:
                self.hold_back(waiting)
            else:
                self._schedule_attempt(waiting, self.clock.now_ms())

    def _move(self, delivery: Delivery, given_up: str | None = None) -> DeliveryMove:
        moment, event = self.clock.moment(), delivery.event
        return DeliveryMove(*moment, delivery.id, event.subject, event.type, given_up)

    def _schedule_attempt(self, delivery: Delivery, at_ms: int) -> None:
        delivery.next_attempt_ms = at_ms = capped_ms(at_ms)
        self.deliveries.note_change(delivery)
        self.agenda.add(at_ms, Occasion.ATTEMPT_DUE, delivery.id)


def _attempt_entry(delivery: Delivery, attempt: Attempt) -> AttemptEnded:
    """The entry of an attempt that has ended. A part of an error may be secret, its kind is not."""
    return AttemptEnded(
        attempt.started_ms,
        attempt.started_wall_ms,
        attempt.id,
        delivery.id,
        delivery.event.subject,
        attempt.started_ms if attempt.ended_ms is None else attempt.ended_ms,
        attempt.ended_wall_ms,
        attempt.status,
        attempt.error and attempt.error.partition(":")[0],
        delivery.state.value,
    )
