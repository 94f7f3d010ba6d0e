"""HM405: the result is never fetched, or only after it has expired."""

from collections.abc import Iterator

from mock_server.core.tasks import Task
from mock_server.verdict.downloads import is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear
from mock_server.verdict.requests import Request, has_failed

_NEVER = (
    "Task {task} had succeeded and the client knew; it ended with exit code 0 and never fetched "
    "the video."
)


def find(evidence: Evidence) -> Iterator[Outcome]:
    known = {each.exchange.task for each in evidence.creates if each.told_task}
    for task in evidence.tasks.values():
        if task.planned.ends_ms > evidence.now_ms or has_failed(task, evidence.now_ms):
            continue
        if not _was_told(evidence, task, has_id=task.id in known):
            continue
        downloads = evidence.downloads_of(task.id)
        late = [each for each in downloads if _came_too_late(each, task)]
        if late and len(late) == len(downloads):
            first = late[0]
            yield Found({"download": first.id, "status": first.status}, [first], task.id)
        elif any(is_whole(each) for each in downloads):
            yield CLEAN
        elif evidence.run.ended_by != "itself":
            yield Unclear("the client was ended from outside, or how it ended is not known")
        elif downloads or evidence.run.exit_code != 0:
            yield CLEAN
        else:
            yield Found({}, (), task.id, is_note=True, sentence=_NEVER)


def _was_told(evidence: Evidence, task: Task, *, has_id: bool) -> bool:
    """Whether the client was told that the task had succeeded, by a look, or by an event about a
    task whose id it had."""
    if task.id in evidence.ends_told:
        return True
    return has_id and any(each.was_accepted for each in evidence.sent_about(task.id))


def _came_too_late(download: Request, task: Task) -> bool:
    """Whether the video was gone, and not because of a fault."""
    return (
        download.reached
        and download.status in {403, 404, 410}
        and not download.exchange.faults
        and download.exchange.started_ms >= task.planned.ends_ms
    )
