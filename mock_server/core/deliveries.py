"""Deliveries: one event for one receiver, attempted until it is accepted or the schedule ends.

Holds data and computes times; `outgoing/sender.py` makes the requests.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Literal

from msgspec import Struct, field

from mock_server.core.counts import Counts
from mock_server.core.effects import NO_FAULT, DeliveryFault
from mock_server.core.field_types import Count, Milliseconds
from mock_server.core.marks import Marks
from mock_server.core.records import Records


class DeliveryState(Enum):
    """The state of a delivery."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Event(Struct, frozen=True):
    """A message about a task, for the receivers of its API's events.

    api: decides how deliveries are signed.
    subject: the id of the task.
    body: compact JSON; each attempt sends it in the spelling of the world.
    secret: signs the deliveries, if the request for the task contained one.
    """

    id: str
    type: str
    api: str
    account: str
    subject: str
    created_ms: int
    body: bytes
    secret: str | None = None


class PendingEvent(Struct, frozen=True):
    """An event and one receiver, before it is scheduled."""

    event: Event
    url: str
    waits_ms: tuple[int, ...]
    endpoint_id: str | None = None


class OutgoingRequest(Struct, frozen=True):
    """The request of one attempt as it is sent."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Attempt(Struct):
    """One attempt at a delivery: its request and its result.

    outgoing: the request; None if none was sent.
    status, answer_body: of the receiver's answer; without one, `error` says why.
    retry_after_s: from the receiver's Retry-After.
    ended_ms: None while it is under way.
    note: a warning, such as a signature time that receivers may refuse.
    started_wall_ms, ended_wall_ms: by the machine's clock.
    """

    id: str
    started_ms: int
    outgoing: OutgoingRequest | None = None
    ended_ms: int | None = None
    status: Count | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer_body: bytes = b""
    retry_after_s: Count | None = None
    error: str | None = None
    note: str | None = None
    started_wall_ms: int | None = None
    ended_wall_ms: int | None = None

    @property
    def was_accepted(self) -> bool:
        """Whether the receiver accepted the event: any status 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def kind_of_outcome(self) -> Literal["accepted", "refused", "unanswered"]:
        """The result in one word: accepted, another answer, or no answer."""
        if self.status is None:
            return "unanswered"
        return "accepted" if self.was_accepted else "refused"

    @property
    def outcome(self) -> str:
        """The result in a few words."""
        if self.ended_ms is None:
            return "under way"
        return self.error or f"answered {self.status}"


class Delivery(Struct):
    """One event for one receiver, with the attempts so far.

    waits_ms: pauses between attempts; there is one more attempt than pauses.
    endpoint_id: the webhook endpoint; None for a URL given with a request.
    next_attempt_ms: when the next attempt is due; None while an attempt is under way or waits for
        a free sender, while it is held back, and when it is over.
    given_up: why it failed before the end of its schedule; None otherwise.
    """

    id: str
    event: Event
    url: str
    waits_ms: tuple[Milliseconds, ...]
    endpoint_id: str | None = None
    fault: DeliveryFault = NO_FAULT
    state: DeliveryState = DeliveryState.PENDING
    attempts: list[Attempt] = field(default_factory=list)
    next_attempt_ms: int | None = None
    given_up: str | None = None

    @property
    def receiver(self) -> str:
        """The endpoint's id, which stays if its URL changes; without an endpoint, the URL."""
        return self.endpoint_id or self.url

    @property
    def attempt_fault(self) -> DeliveryFault:
        """The fault of the latest attempt."""
        return self.fault if self.fault.applies_to_attempt(len(self.attempts)) else NO_FAULT

    @property
    def is_under_way(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self.attempts) and self.attempts[-1].ended_ms is None

    def begin_attempt(self, now_ms: int) -> Attempt:
        """Add an attempt that starts now."""
        self.given_up = None
        attempt = Attempt(f"{self.id}_{len(self.attempts) + 1}", now_ms)
        self.attempts.append(attempt)
        self.next_attempt_ms = None
        return attempt

    def give_up(self, reason: str) -> None:
        """End it as failed, for this reason."""
        self.state = DeliveryState.FAILED
        self.next_attempt_ms = None
        self.given_up = reason

    def end_attempt(self, attempt: Attempt, now_ms: int) -> None:
        """End an attempt, then set the state, or the next attempt after the given Retry-After."""
        attempt.ended_ms = now_ms
        if attempt.was_accepted:
            self.state = DeliveryState.SUCCEEDED
            return
        again_ms = next_attempt_ms([earlier.started_ms for earlier in self.attempts], self.waits_ms)
        if again_ms is None:
            self.state = DeliveryState.FAILED
            return
        retry_after_ms = now_ms + 1000 * (attempt.retry_after_s or 0)
        self.next_attempt_ms = max(again_ms, retry_after_ms)


def next_attempt_ms(attempts_ms: Sequence[int], waits_ms: Sequence[int]) -> int | None:
    """When the attempt after these is due, with these pauses; None at the end of the schedule."""
    if len(attempts_ms) > len(waits_ms):
        return None
    return attempts_ms[-1] + waits_ms[len(attempts_ms) - 1]


class DeliveriesState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of all deliveries, oldest first.

    over: the ids of those that have ended, in the order of their ends.
    """

    made: Count
    attempted: Count
    deliveries: tuple[Delivery, ...]
    over: tuple[str, ...]


class Deliveries(Records[Delivery]):
    """The deliveries of a world. If there are too many, those that ended first are deleted.

    made, attempted: the number of all deliveries and attempts, deleted ones included.
    """

    def __init__(
        self, max_kept: int, counts: Counts | None = None, marks: Marks | None = None
    ) -> None:
        super().__init__()
        self._counts = counts or Counts()
        self._marks = marks or Marks()
        self._over: dict[str, int] = {}
        self._ends = 0
        self._max_kept = max_kept
        self.made = 0
        self.attempted = 0

    def state(self) -> DeliveriesState:
        """The whole state; it shares the deliveries."""
        return DeliveriesState(self.made, self.attempted, tuple(self), tuple(self._over))

    def restore(self, state: DeliveriesState) -> None:
        """Replace the whole state."""
        self.made, self.attempted = state.made, state.attempted
        self._records = {delivery.id: delivery for delivery in state.deliveries}
        self._over = {each: number for number, each in enumerate(state.over, start=1)}
        self._ends = len(self._over)

    @property
    def evicted(self) -> int:
        """The number of deleted deliveries."""
        return self.made - len(self)

    @property
    def waiting(self) -> int:
        """The number of deliveries that have not ended and so cannot be deleted."""
        return len(self) - len(self._over)

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery. A pending one is never deleted."""
        self._records[delivery.id] = delivery
        self.made += 1
        self.note_change(delivery)
        self._delete_surplus()

    def note_change(self, delivery: Delivery) -> None:
        """Call this when a delivery, or the number of attempts, has changed."""
        self._marks.mark("delivery", delivery.id)
        self._marks.mark("state")

    def number_of_end(self, delivery_id: str) -> int:
        """The place of a delivery among the ends of all; 0 if it is not one that has ended."""
        return self._over.get(delivery_id, 0)

    def mark_over(self, delivery: Delivery) -> None:
        """Note that a delivery has ended and may be deleted, after those that ended before."""
        self._over.pop(delivery.id, None)
        self._ends += 1
        self._over[delivery.id] = self._ends
        self.note_change(delivery)
        self._counts.deliveries[delivery.event.api, delivery.state.value] += 1
        self._delete_surplus()

    def _delete_surplus(self) -> None:
        while len(self) > self._max_kept and self._over:
            oldest = next(iter(self._over))
            self._marks.mark("delivery", oldest)
            del self._over[oldest]
            delivery = self._records.get(oldest)
            # A redelivery may have made it pending again.
            if delivery is not None and delivery.state is not DeliveryState.PENDING:
                del self._records[delivery.id]
                self._counts.evictions["delivery",] += 1
