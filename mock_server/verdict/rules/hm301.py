"""HM301: a task is looked at again and again after its end was told."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.looks import looks_after_end
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for task in evidence.tasks.values():
        told = evidence.ends_told.get(task.id)
        if told is None:
            continue
        allowed, later = looks_after_end(evidence, task, told)
        if len(later) <= allowed:
            yield CLEAN
            continue
        yield Found(
            {
                "told": told.id,
                "times": len(later),
                "state": task.state_at(evidence.now_ms).value,
            },
            (told, *later),
            task.id,
        )
