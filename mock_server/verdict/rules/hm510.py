"""HM510: an event is marked as done before its work is done."""

from collections.abc import Iterator

from mock_server.verdict.events import lost_work
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.repetitions import retries


def find(evidence: Evidence) -> Iterator[Outcome]:
    for sent, times in retries(evidence):
        yield lost_work(evidence, sent, sent.attempt.ended_wall_ms, times=times)
