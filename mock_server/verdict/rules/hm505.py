"""HM505: a repeated event is acted on twice."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.repetitions import acted_too_often, repeats


def find(evidence: Evidence) -> Iterator[Outcome]:
    return acted_too_often(evidence, repeats(evidence))
