"""HM510: an event is marked as done before its work is done."""

from collections.abc import Iterator

from mock_server.verdict.events import acts_wanted, times_acted, why_not_lost
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Found, Outcome
from mock_server.verdict.repetitions import retries


def find(evidence: Evidence) -> Iterator[Outcome]:
    acted, wanted = times_acted(evidence), acts_wanted(evidence)
    for task_id, event_id, times, accepted_wall_ms in retries(evidence):
        yield why_not_lost(evidence, accepted_wall_ms) or Found(
            {"event": event_id, "times": times, "acted": acted, "wanted": wanted}, (), task_id
        )
