"""Deliveries: one event for one receiver, tried until it is taken or the schedule is used up.

Decides; the sender carries out. A delivery is data before it is a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice

from msgspec import Struct

from mock_server.core.delivery_faults import SOUND, DeliveryFault
from mock_server.core.durations import Milliseconds
from mock_server.core.numbers import Count


class DeliveryState(Enum):
    """Where a delivery is."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that somebody wants to be told of.

    api: whose event it is, and so how its deliveries are signed.
    subject: the id of the task it tells of.
    body: what they are told, the very bytes; the same in every attempt that goes right.
    secret: what signs its deliveries, if that came with the request for the task.
    """

    id: str
    type: str
    api: str
    account: str
    subject: str
    created_ms: int
    body: bytes
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """An event, and one receiver that wants it."""

    event: Event
    url: str
    waits_ms: tuple[int, ...]
    endpoint_id: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """The request of one attempt, whole as it is to be sent."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class Attempt:
    """One try at a delivery: what was sent, and what came of it.

    posting: what was sent, or None if nothing was.
    status, answer_body: of the receiver's answer, if there was one; else `error` says why not.
    retry_after_s: how long the receiver asked to be left alone.
    ended_ms: None while it is under way.
    note: what a receiver may stumble over.
    """

    id: str
    started_ms: int
    posting: Posting | None = None
    ended_ms: int | None = None
    status: Count | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer_body: bytes = b""
    retry_after_s: Count | None = None
    error: str | None = None
    note: str | None = None

    @property
    def was_taken(self) -> bool:
        """Whether the receiver said that it has the event: any 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """What came of it, in a few words."""
        if self.ended_ms is None:
            return "under way"
        return self.error or f"answered {self.status}"


@dataclass(slots=True)
class Delivery:
    """One event on its way to one receiver.

    waits_ms: pauses between attempts; there is one attempt more than there are pauses.
    endpoint_id: the webhook endpoint it goes to; None for an address given with a request.
    fault: how it goes wrong.
    next_attempt_ms: when it is tried again; None while it is tried, waits for its turn or is held
        back, and when it is over.
    given_up: why it was given up before its schedule was used up; None if it was not.
    """

    id: str
    event: Event
    url: str
    waits_ms: tuple[Milliseconds, ...]
    endpoint_id: str | None = None
    fault: DeliveryFault = SOUND
    state: DeliveryState = DeliveryState.PENDING
    attempts: list[Attempt] = field(default_factory=list)
    next_attempt_ms: int | None = None
    given_up: str | None = None

    @property
    def receiver(self) -> str:
        """Whom it is for, wherever they are: the endpoint, else the address."""
        return self.endpoint_id or self.url

    @property
    def attempt_fault(self) -> DeliveryFault:
        """How the latest attempt goes wrong."""
        return self.fault if self.fault.hits(len(self.attempts)) else SOUND

    @property
    def is_under_way(self) -> bool:
        """Whether it is being tried right now."""
        return bool(self.attempts) and self.attempts[-1].ended_ms is None

    @property
    def is_taken_up(self) -> bool:
        """Whether an attempt is under way, or has come due and waits for its turn."""
        return self.state is DeliveryState.PENDING and self.next_attempt_ms is None

    def begin_attempt(self, now_ms: int) -> Attempt:
        """Try once more, from now on."""
        self.given_up = None
        attempt = Attempt(f"{self.id}_{len(self.attempts) + 1}", now_ms)
        self.attempts.append(attempt)
        self.next_attempt_ms = None
        return attempt

    def give_up(self, reason: str) -> None:
        """Nobody wants it any more."""
        self.state = DeliveryState.FAILED
        self.next_attempt_ms = None
        self.given_up = reason

    def end_attempt(self, attempt: Attempt, now_ms: int) -> None:
        """The attempt is over; decides what follows from it.

        A receiver that asks to be left alone for a while (Retry-After) is not tried before.
        """
        attempt.ended_ms = now_ms
        if attempt.was_taken:
            self.state = DeliveryState.SUCCEEDED
            return
        again_ms = next_attempt_ms([earlier.started_ms for earlier in self.attempts], self.waits_ms)
        if again_ms is None:
            self.state = DeliveryState.FAILED
            return
        left_alone_until_ms = now_ms + 1000 * (attempt.retry_after_s or 0)
        self.next_attempt_ms = max(again_ms, left_alone_until_ms)


def next_attempt_ms(attempts_ms: Sequence[int], waits_ms: Sequence[int]) -> int | None:
    """When to try again, or None once the schedule is used up.

    attempts_ms: when it was tried so far, oldest first, in milliseconds of the world's clock.
    waits_ms: pauses between attempts.
    """
    if len(attempts_ms) > len(waits_ms):
        return None
    return attempts_ms[-1] + waits_ms[len(attempts_ms) - 1]


class DeliveriesState(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is known of deliveries, oldest first; over: the ids of those that may be forgotten,
    those that were over first before the others.
    """

    made: Count
    attempted: Count
    deliveries: tuple[Delivery, ...]
    over: tuple[str, ...]


class Deliveries:
    """The deliveries of a world, oldest first.

    When there are too many, those that were over first are forgotten, and counted.
    made, attempted: how many deliveries and attempts there were in all.
    """

    def __init__(self, max_kept: int) -> None:
        self._deliveries: dict[str, Delivery] = {}
        self._over: dict[str, None] = {}
        self._max_kept = max_kept
        self.made = 0
        self.attempted = 0

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries.values())

    def __len__(self) -> int:
        return len(self._deliveries)

    def state(self) -> DeliveriesState:
        """All that is known; the deliveries in it go on changing."""
        known = tuple(self._deliveries.values())
        return DeliveriesState(self.made, self.attempted, known, tuple(self._over))

    def restore(self, state: DeliveriesState) -> None:
        """Know this, and nothing else."""
        self.made, self.attempted = state.made, state.attempted
        self._deliveries = {delivery.id: delivery for delivery in state.deliveries}
        self._over = dict.fromkeys(state.over)

    @property
    def evicted(self) -> int:
        """How many deliveries are no longer here."""
        return self.made - len(self._deliveries)

    @property
    def waiting(self) -> int:
        """How many are not over yet, so that they cannot be forgotten."""
        return len(self._deliveries) - len(self._over)

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery, if it is (still) known."""
        return self._deliveries.get(delivery_id)

    def newest(self, count: int) -> list[Delivery]:
        """The last so many that are still here, the oldest first."""
        return list(islice(reversed(self._deliveries.values()), count))[::-1]

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery from now on. One that is pending is never forgotten."""
        self._deliveries[delivery.id] = delivery
        self.made += 1
        self._forget_surplus()

    def is_over(self, delivery: Delivery) -> None:
        """The delivery has been taken or given up: it may be forgotten when its time comes."""
        self._over.pop(delivery.id, None)
        self._over[delivery.id] = None
        self._forget_surplus()

    def _forget_surplus(self) -> None:
        while len(self._deliveries) > self._max_kept and self._over:
            oldest = next(iter(self._over))
            del self._over[oldest]
            delivery = self._deliveries.get(oldest)
            # It may have been sent again since, and be pending, or be over for the second time.
            if delivery is not None and delivery.state is not DeliveryState.PENDING:
                del self._deliveries[delivery.id]
