"""Deliveries: one event for one receiver, tried until it is taken or the schedule is used up.

Decides; the sender carries out. A delivery is data before it is a request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum


class DeliveryState(Enum):
    """Where a delivery is."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and that somebody wants to be told of.

    body: what they are told, the very bytes; the same in every attempt, as are the headers.
    """

    id: str
    type: str
    account: str
    subject: str
    created_ms: int
    body: bytes
    headers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Attempt:
    """One try at a delivery: what was sent, and what came of it.

    status, answer_body: of the receiver's answer, if there was one; else `error` says why not.
    ended_ms: None while it is under way.
    """

    id: str
    started_ms: int
    request_headers: tuple[tuple[str, str], ...] = ()
    ended_ms: int | None = None
    status: int | None = None
    answer_headers: tuple[tuple[str, str], ...] = ()
    answer_body: bytes = b""
    error: str | None = None

    @property
    def was_taken(self) -> bool:
        """Whether the receiver said that it has the event: any 2xx."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(slots=True)
class Delivery:
    """One event on its way to one receiver.

    waits_ms: pauses between attempts; there is one attempt more than there are pauses.
    endpoint_id: the webhook endpoint it goes to; None for an address given with a request.
    next_attempt_ms: when it is tried again; None while it is tried and when it is over.
    """

    id: str
    event: Event
    url: str
    waits_ms: tuple[int, ...]
    endpoint_id: str | None = None
    state: DeliveryState = DeliveryState.PENDING
    attempts: list[Attempt] = field(default_factory=list)
    next_attempt_ms: int | None = None

    def begin_attempt(self, now_ms: int) -> Attempt:
        """Try once more, from now on."""
        attempt = Attempt(f"{self.id}_{len(self.attempts) + 1}", now_ms)
        self.attempts.append(attempt)
        self.next_attempt_ms = None
        return attempt

    def give_up(self) -> None:
        """Nobody wants it any more."""
        self.state = DeliveryState.FAILED
        self.next_attempt_ms = None

    def end_attempt(self, attempt: Attempt, now_ms: int) -> None:
        """The attempt is over; decides what follows from it."""
        attempt.ended_ms = now_ms
        if attempt.was_taken:
            self.state = DeliveryState.SUCCEEDED
            return
        self.next_attempt_ms = next_attempt_ms(
            [earlier.started_ms for earlier in self.attempts], self.waits_ms
        )
        if self.next_attempt_ms is None:
            self.state = DeliveryState.FAILED


def next_attempt_ms(attempts_ms: Sequence[int], waits_ms: Sequence[int]) -> int | None:
    """When to try again, or None once the schedule is used up.

    attempts_ms: when it was tried so far, oldest first, in milliseconds of the world's clock.
    waits_ms: pauses between attempts.
    """
    if len(attempts_ms) > len(waits_ms):
        return None
    return attempts_ms[-1] + waits_ms[len(attempts_ms) - 1]


class Deliveries:
    """The deliveries of a world, oldest first.

    When there are too many, those that were over first are forgotten, and counted.
    """

    def __init__(self, max_kept: int) -> None:
        self._deliveries: dict[str, Delivery] = {}
        self._over: deque[str] = deque()
        self._max_kept = max_kept
        self.made = 0

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries.values())

    def __len__(self) -> int:
        return len(self._deliveries)

    @property
    def evicted(self) -> int:
        """How many deliveries are no longer here."""
        return self.made - len(self._deliveries)

    def get(self, delivery_id: str) -> Delivery | None:
        """The delivery, if it is (still) known."""
        return self._deliveries.get(delivery_id)

    def add(self, delivery: Delivery) -> None:
        """Keep a delivery from now on. One that is pending is never forgotten."""
        self._deliveries[delivery.id] = delivery
        self.made += 1
        self._forget_surplus()

    def is_over(self, delivery: Delivery) -> None:
        """The delivery has been taken or given up: it may be forgotten when its time comes."""
        self._over.append(delivery.id)
        self._forget_surplus()

    def _forget_surplus(self) -> None:
        while len(self._deliveries) > self._max_kept and self._over:
            delivery = self._deliveries.get(self._over.popleft())
            # It may have been sent again since, and be pending, or be over for the second time.
            if delivery is not None and delivery.state is not DeliveryState.PENDING:
                del self._deliveries[delivery.id]
