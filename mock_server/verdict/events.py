"""Events sent to the client's own receiver: what it was told, and what it answered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mock_server.core.deliveries import Attempt, Delivery
from mock_server.core.effects import NO_FAULT, DeliveryFault
from mock_server.core.signing import TOLERANCE_S
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Clean, Unclear

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
    def has_true_content(self) -> bool:
        """Whether it says what happened to its task; its signature does not count."""
        fault = self.fault
        return not (
            fault.unknown_task
            or fault.contradicted
            or fault.event_type is not None
            or fault.body != "whole"
            or fault.content_type is not None
        )

    @property
    def is_genuine(self) -> bool:
        """Whether it is true, and signed as it should be."""
        fault = self.fault
        return (
            self.has_true_content
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


def own_attempts(evidence: Evidence) -> Sequence[Sent]:
    """The attempts at deliveries to the client's receiver that have ended, in order."""
    sent = [
        Sent(delivery, attempt, _fault(delivery, number))
        for delivery in evidence.own_deliveries
        for number, attempt in enumerate(delivery.attempts, start=1)
        if attempt.ended_ms is not None
    ]
    return sorted(sent, key=lambda each: each.attempt.started_ms)


def attempts_about(evidence: Evidence, task_id: str) -> list[Sent]:
    """The attempts at the client's receiver with events about a task. An inbox of this server is
    no receiver of the client: it never learns what comes there."""
    return [each for each in own_attempts(evidence) if each.delivery.event.subject == task_id]


def tasks_told(evidence: Evidence) -> dict[str, list[Sent]]:
    """The true events that the client's receiver accepted, by their tasks."""
    found: dict[str, list[Sent]] = {}
    for sent in own_attempts(evidence):
        if sent.was_accepted and sent.is_genuine and sent.delivery.event.subject in evidence.tasks:
            found.setdefault(sent.delivery.event.subject, []).append(sent)
    return found


def seconds_taken(attempt: Attempt) -> float | None:
    """The real time until an attempt ended; None if it is not known."""
    started_ms, ended_ms = attempt.started_wall_ms, attempt.ended_wall_ms
    return None if started_ms is None or ended_ms is None else (ended_ms - started_ms) / 1000


def times_acted(evidence: Evidence) -> int:
    """How often the client had acted at the last reading."""
    return evidence.readings[-1].count if evidence.readings else 0


def acts_wanted(evidence: Evidence) -> int:
    """How often the client may have acted: once for each task that has ended."""
    return sum(1 for task in evidence.tasks.values() if task.planned.ends_ms <= evidence.now_ms)


def had_time_to_act(evidence: Evidence, since_wall_ms: int | None) -> bool:
    """Whether the client had all the time it wanted, or so much real time since then that its
    work cannot be on its way."""
    ended_ms = evidence.run.ended_wall_ms
    waited_ms = 0 if since_wall_ms is None or ended_ms is None else ended_ms - since_wall_ms
    return ended_in_time(evidence) or waited_ms >= _LONG_MS


def why_not_lost(evidence: Evidence, since_wall_ms: int | None) -> Clean | Unclear | None:
    """Why no work is lost that the client had to do since then, or why that is not known; None if
    it is lost."""
    if times_acted(evidence) >= acts_wanted(evidence):
        return CLEAN
    if not had_time_to_act(evidence, since_wall_ms):
        return Unclear("the client was ended from outside, before it could do its work")
    return None


_LONG_MS = 10_000


def ended_in_time(evidence: Evidence) -> bool:
    """Whether the client had all the time it wanted: it ended by itself, or reached its limit."""
    return evidence.run.ended_by == "itself" or evidence.run.reached_limit


def _fault(delivery: Delivery, number: int) -> DeliveryFault:
    return delivery.fault if delivery.fault.applies_to_attempt(number) else NO_FAULT
