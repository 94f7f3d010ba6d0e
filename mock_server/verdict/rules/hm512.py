"""HM512: a late, older event overwrites what is known."""

from collections.abc import Iterator

from mock_server.core.lifecycle import TaskEvent
from mock_server.verdict.events import Sent, own_attempts
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import credits_of, equal_orders, paid_again
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request


def find(evidence: Evidence) -> Iterator[Outcome]:
    for create in evidence.creates:
        task = evidence.tasks.get(create.made or "")
        if task is None or task.planned.outcome is not TaskEvent.RENDERED:
            continue
        false = [each for each in own_attempts(evidence) if _contradicts(each, task.id)]
        if not false:
            continue
        began_ms = false[0].attempt.started_ms
        later = [
            each
            for each in equal_orders(evidence, create)
            if each.exchange.started_ms >= began_ms and each.number > create.number
        ]
        again = paid_again(evidence, create, later)
        if not again:
            yield CLEAN
            continue
        yield _found(evidence, create, false[0], again)


def _contradicts(sent: Sent, task_id: str) -> bool:
    """Whether the receiver accepted one of two events that contradict each other."""
    is_about = sent.delivery.event.subject == task_id
    return is_about and sent.was_accepted and sent.fault.contradicted


def _found(evidence: Evidence, create: Request, sent: Sent, again: list[Request]) -> Found:
    return Found(
        {"event": sent.delivery.event.id, "paid": create.made, "second": again[0].id},
        (create.id, *(each.id for each in again)),
        again[0].made,
        credits_of(evidence, again),
    )
