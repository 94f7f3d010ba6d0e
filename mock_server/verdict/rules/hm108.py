"""HM108: the id of a task is kept in memory only."""

from collections.abc import Iterator

from mock_server.verdict.downloads import is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear
from mock_server.verdict.requests import Request
from mock_server.verdict.restarts import is_after_kill, is_before_kill, told_before_kill


def find(evidence: Evidence) -> Iterator[Outcome]:
    for create in told_before_kill(evidence):
        task_id = create.made or ""
        downloads = evidence.downloads_of(task_id)
        if any(is_whole(each) and is_before_kill(evidence, each) for each in downloads):
            continue
        if _is_remembered(evidence, create, task_id):
            yield CLEAN
        elif evidence.run.ended_by != "itself" and not evidence.run.reached_limit:
            yield Unclear("the client was ended from outside, before it could look at its task")
        else:
            yield Found({"first": create.id}, [create], task_id, evidence.price_of(task_id))


def _is_remembered(evidence: Evidence, create: Request, task_id: str) -> bool:
    """Whether the client, started again, did something about the task, or ordered it again."""
    later = [*evidence.about(task_id)[-1:], evidence.calls[create.call][-1]]
    return any(is_after_kill(evidence, each) for each in later) or any(
        each.attempt.was_accepted for each in evidence.sent_about(task_id)
    )
