"""HM306: the order is sent again in place of a look."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import credits_of, orders_until, paid_again
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.restarts import is_after_kill

_SOON_MS = 1000
"""Two equal creates within this time are two for one wish, which another rule judges."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    reported: set[str] = set()
    for create in evidence.creates:
        if create.made is None or not create.told_task or create.id in reported:
            continue
        again = paid_again(evidence, create, _in_place_of_looks(evidence, create))
        if not again:
            yield CLEAN
            continue
        reported.update(each.id for each in again)
        yield Found(
            {"first": create.id, "paid": create.made, "times": len(again)},
            (create.id, *(each.id for each in again)),
            again[0].made,
            credits_of(evidence, again),
        )


def _in_place_of_looks(evidence: Evidence, create: Request) -> list[Request]:
    """The equal creates while the task was running, with no trouble that could explain them."""
    task = evidence.tasks[create.made or ""]
    troubled = [each.number for each in evidence.about(task.id) if each.has_failed]
    later = [
        each
        for each in orders_until(evidence, create, task.planned.ends_ms)
        if each.is_after(create)
        and not is_after_kill(evidence, each)
        and not any(number < each.number for number in troubled)
    ]
    is_alone = len(later) == 1
    waited_ms = later[0].started_wall_ms - create.started_wall_ms if later else 0
    return [] if is_alone and waited_ms < _SOON_MS else later
