"""HM512: a late, older event overwrites what is known."""

from collections.abc import Iterator
from functools import partial

from mock_server.core.lifecycle import TaskEvent
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.sent import Sent


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        task = evidence.tasks.get(create.made or "")
        if task is None or task.planned.outcome is not TaskEvent.RENDERED:
            continue
        false = next(filter(_contradicts, evidence.sent_about(task.id)), None)
        if false is not None:
            is_later = partial(_began_after, false.attempt.started_ms)
            again = paid_once.again(create, is_later, overlaps=True)
            yield paid_again(evidence, [create], again, event=false.event.id)


def _began_after(at_ms: int, create: Request) -> bool:
    return create.exchange.started_ms >= at_ms


def _contradicts(sent: Sent) -> bool:
    """Whether the receiver accepted one of two events that contradict each other."""
    return sent.was_accepted and sent.fault.contradicted
