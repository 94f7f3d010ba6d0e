"""HM508: the event and the look both lead to the same action."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.repetitions import acted_too_often, told_twice


def find(evidence: Evidence) -> Iterator[Outcome]:
    return acted_too_often(evidence, told_twice(evidence))
