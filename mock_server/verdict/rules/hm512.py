"""HM512: a late, older event overwrites what is known."""

from collections.abc import Iterator
from functools import partial

from mock_server.core.lifecycle import TaskEvent
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, credits_of
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.sent import Sent


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        task = evidence.tasks.get(create.made or "")
        if task is None or task.planned.outcome is not TaskEvent.RENDERED:
            continue
        false = [each for each in evidence.sent_about(task.id) if _contradicts(each)]
        if not false:
            continue
        is_later = partial(_began_after, false[0].attempt.started_ms)
        again = paid_once.again(create, create, is_later, overlaps=True)
        if not again:
            yield CLEAN
            continue
        yield _found(evidence, create, false[0], again)


def _began_after(at_ms: int, create: Request) -> bool:
    return create.exchange.started_ms >= at_ms


def _contradicts(sent: Sent) -> bool:
    """Whether the receiver accepted one of two events that contradict each other."""
    return sent.was_accepted and sent.fault.contradicted


def _found(evidence: Evidence, create: Request, sent: Sent, again: list[Request]) -> Found:
    return Found(
        {"event": sent.delivery.event.id, "paid": create.made, "second": again[0].id},
        (create.id, *(each.id for each in again)),
        again[0].made,
        credits_of(evidence, again),
    )
