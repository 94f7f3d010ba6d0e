"""HM306: the order is sent again in place of a look."""

from collections.abc import Iterator
from functools import partial
from itertools import islice, takewhile

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, orders_after, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.restarts import is_after_kill

_SOON_MS = 1000
"""Two equal creates within this time are two for one wish, which another rule judges."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        if create.made is None or not create.told_task or paid_once.has_reported(create):
            continue
        yield paid_again(evidence, [create], _in_place_of_looks(evidence, paid_once, create))


def _in_place_of_looks(evidence: Evidence, paid_once: PaidOnce, create: Request) -> list[Request]:
    """The equal creates while the task was running, with no trouble that could explain them."""
    task = evidence.tasks[create.made or ""]
    trouble = next((each.number for each in evidence.about(task.id) if each.has_failed), None)
    is_before = partial(_is_before, evidence, task.planned.ends_ms, trouble)
    later = takewhile(is_before, orders_after(evidence, create))
    first, second = [*islice(later, 2), None, None][:2]
    if first is None:
        return []
    if second is None and first.started_wall_ms - create.started_wall_ms < _SOON_MS:
        return []
    return paid_once.again(create, is_soon=is_before)


def _is_before(evidence: Evidence, ends_ms: int, trouble: int | None, create: Request) -> bool:
    """Whether a create began before the end of a task, any trouble, and a restart."""
    return (
        create.exchange.started_ms < ends_ms
        and (trouble is None or create.number <= trouble)
        and not is_after_kill(evidence, create)
    )
