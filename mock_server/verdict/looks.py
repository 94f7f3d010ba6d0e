"""Looks at tasks: when a client learned that one had ended, and what it did then."""

from mock_server.core.tasks import Task
from mock_server.verdict.downloads import is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request

_FREE_LOOKS = 2
"""Looks after the end that are never a mistake: one under way elsewhere, one to make sure."""


def looks_at(evidence: Evidence, task_id: str) -> list[Request]:
    """The looks at a task, in order, also those at several tasks."""
    return [each for each in evidence.about(task_id) if each.is_look]


def first_told(evidence: Evidence, task: Task) -> Request | None:
    """The first look whose answer said that the task had ended, without any fault."""
    return evidence.ends_told.get(task.id)


def looks_after_end(evidence: Evidence, task: Task, told: Request) -> tuple[int, list[Request]]:
    """How many looks after its end are right, and the looks that came.

    Right are two, one for each event that was delivered and for each download that failed since
    then, and two for a client that was started again. Looks that also ask for a task that had not
    ended do not count."""
    later = [
        each
        for each in looks_at(evidence, task.id)
        if each.is_after(told) and _all_ended(evidence, each)
    ]
    allowed = _FREE_LOOKS
    allowed += sum(len(each.attempts) for each in evidence.deliveries_about(task.id))
    allowed += sum(1 for each in evidence.about(task.id) if each.is_download and not is_whole(each))
    if evidence.run.restarted_wall_ms is not None:
        allowed += _FREE_LOOKS
    return allowed, later


def _all_ended(evidence: Evidence, look: Request) -> bool:
    """Whether all tasks of a look had ended before it, and the client knew."""
    for task_id in evidence.tasks_of(look):
        told = first_told(evidence, evidence.tasks[task_id])
        if told is None or not look.is_after(told):
            return False
    return True
