"""Looks at tasks: when a client learned that one had ended, and what it did then."""

from collections.abc import Sequence

from mock_server.core.tasks import Task
from mock_server.verdict.downloads import is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request

_FREE_LOOKS = 2
"""Looks after the end that are never a mistake: one under way elsewhere, one to make sure."""


def looks_at(evidence: Evidence, task_id: str) -> list[Request]:
    """The looks at a task, in order, also those at several tasks."""
    return [each for each in evidence.about(task_id) if each.is_look]


def looks_after_end(evidence: Evidence, task: Task, told: Request) -> tuple[int, list[Request]]:
    """How many looks after its end are right, and the looks that came.

    Right are two, one for each event that was delivered and for each download that failed since
    then, and two for a client that was started again. Looks that failed do not count, nor those
    that also ask for a task that had not ended, nor those of a worker that knew of no end."""
    looks = looks_at(evidence, task.id)
    later = [
        each
        for each in _of_workers_that_knew(evidence, task, looks)
        if each.is_ok and evidence.could_know(told, each) and _all_ended(evidence, each)
    ]
    allowed = _FREE_LOOKS
    allowed += sum(len(each.attempts) for each in evidence.deliveries_about(task.id))
    allowed += sum(1 for each in evidence.about(task.id) if each.is_download and not is_whole(each))
    if evidence.run.restarted_wall_ms is not None:
        allowed += _FREE_LOOKS
    return allowed, later


def _of_workers_that_knew(
    evidence: Evidence, task: Task, looks: Sequence[Request]
) -> Sequence[Request]:
    """Of several workers that keep their connections, the looks over one that had shown the end;
    else all."""
    connections = [each.exchange.connection for each in looks]
    if not evidence.has_several_workers or len(set(connections)) == len(connections):
        return looks
    knew: set[int | None] = set()
    later = []
    for each in looks:
        if each.exchange.connection in knew:
            later.append(each)
        elif each.shows_end_of(task):
            knew.add(each.exchange.connection)
    return later


def _all_ended(evidence: Evidence, look: Request) -> bool:
    """Whether all tasks of a look had ended before it, and the client knew."""
    for task_id in evidence.tasks_of(look):
        told = evidence.ends_told.get(task_id)
        if told is None or not evidence.could_know(told, look):
            return False
    return True
