"""HM509: an event is acknowledged before its work is safe."""

from collections.abc import Iterator

from mock_server.verdict.events import lost_work
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    killed_ms = evidence.run.restarted_wall_ms or 0
    for sent in evidence.tasks_told.values():
        ended_ms = sent[0].attempt.ended_wall_ms
        if ended_ms is not None and ended_ms <= killed_ms:
            yield lost_work(evidence, sent[0], killed_ms)
