"""Attempts at deliveries to the client's own receiver: what it was told, and what it answered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mock_server.core.deliveries import Attempt, Delivery, Event
from mock_server.core.effects import NO_FAULT, DeliveryFault
from mock_server.core.signing import TOLERANCE_S

_SIGNATURE = re.compile(r"\bv1[=,]")
"""The beginning of each signature, in the form of Stripe and in that of Standard Webhooks."""

REFUSALS = frozenset({400, 401, 403})
"""The answers with which receivers refuse a signature."""


@dataclass(frozen=True)
class Sent:
    """One attempt at a delivery to the client's receiver. fault: of this attempt."""

    delivery: Delivery
    attempt: Attempt
    fault: DeliveryFault

    @property
    def event(self) -> Event:
        """What it told. Its subject is the id of a task."""
        return self.delivery.event

    @property
    def reached(self) -> bool:
        """Whether a whole request was sent to the receiver."""
        return (
            self.attempt.outgoing is not None
            and self.fault.answer is None
            and self.fault.connection in {None, "answer_lost"}
        )

    @property
    def was_answered(self) -> bool:
        """Whether the receiver itself answered."""
        return self.reached and self.attempt.status is not None

    @property
    def was_accepted(self) -> bool:
        """Whether the receiver itself answered 2xx."""
        return self.was_answered and self.attempt.was_accepted

    @property
    def was_refused(self) -> bool:
        """Whether the receiver itself answered as to a bad signature."""
        return self.was_answered and self.attempt.status in REFUSALS

    @property
    def is_genuine(self) -> bool:
        """Whether it says what happened to its task, and is signed as it should be."""
        fault = self.fault
        return (
            not fault.unknown_task
            and not fault.contradicted
            and fault.event_type is None
            and fault.body == "whole"
            and fault.content_type is None
            and fault.signed_with == "current"
            and not fault.altered
            and abs(fault.signed_s) <= TOLERANCE_S
        )

    @property
    def signatures(self) -> int:
        """How many signatures it has: two while both the old and the new secret sign."""
        outgoing = self.attempt.outgoing
        headers = () if outgoing is None else outgoing.headers
        return max(
            (len(_SIGNATURE.findall(value)) for name, value in headers if "signature" in name),
            default=0,
        )

    @property
    def body(self) -> bytes:
        """The bytes that were sent."""
        return b"" if self.attempt.outgoing is None else self.attempt.outgoing.body


def ended_attempts(delivery: Delivery) -> Iterator[Sent]:
    """The attempts at a delivery that have ended."""
    for number, attempt in enumerate(delivery.attempts, start=1):
        if attempt.ended_ms is not None:
            is_faulty = delivery.fault.applies_to_attempt(number)
            yield Sent(delivery, attempt, delivery.fault if is_faulty else NO_FAULT)
