"""HM301: a task is looked at again and again after its end was told."""

from collections.abc import Iterator, Sequence

from mock_server.core.tasks import Task
from mock_server.verdict.downloads import is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request

_FREE_LOOKS = 2
"""Looks after the end that are never a mistake: one under way elsewhere, one to make sure."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    for task in evidence.tasks.values():
        told = evidence.ends_told.get(task.id)
        if told is None:
            continue
        later = _looks_after_end(evidence, task, told)
        if len(later) <= _right_looks(evidence, task.id):
            yield CLEAN
            continue
        yield Found(
            {"told": told.id, "times": len(later), "state": task.state_at(evidence.now_ms).value},
            (told, *later),
            task.id,
        )


def _right_looks(evidence: Evidence, task_id: str) -> int:
    """How many looks after the end are right: two, one for each event that was delivered and for
    each download that failed since then, and two for a client that was started again."""
    failed = [each for each in evidence.downloads_of(task_id) if not is_whole(each)]
    events = sum(len(each.attempts) for each in evidence.deliveries_about(task_id))
    restarts = 0 if evidence.run.restarted_wall_ms is None else 1
    return _FREE_LOOKS * (1 + restarts) + events + len(failed)


def _looks_after_end(evidence: Evidence, task: Task, told: Request) -> list[Request]:
    """The looks after the end was told. Those that failed do not count, nor those that also ask for
    a task that had not ended, nor those of a worker that knew of no end."""
    return [
        each
        for each in _of_workers_that_knew(evidence, task, evidence.looks_at(task.id))
        if each.is_ok and evidence.could_know(told, each) and _all_ended(evidence, each)
    ]


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
