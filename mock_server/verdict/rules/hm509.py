"""HM509: an event is acknowledged before its work is safe."""

from collections.abc import Iterator

from mock_server.verdict.events import acts_wanted, times_acted, why_not_lost
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    killed_ms = evidence.run.restarted_wall_ms or 0
    acted, wanted = times_acted(evidence), acts_wanted(evidence)
    for task_id, sent in evidence.tasks_told.items():
        ended_ms = sent[0].attempt.ended_wall_ms
        if ended_ms is None or ended_ms > killed_ms:
            continue
        yield why_not_lost(evidence, killed_ms) or Found(
            {"event": sent[0].delivery.event.id, "acted": acted, "wanted": wanted}, (), task_id
        )
