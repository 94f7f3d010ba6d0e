"""HM507: an event that is retried is acted on again."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.repetitions import acted_too_often, retries


def find(evidence: Evidence) -> Iterator[Outcome]:
    return acted_too_often(evidence, retries(evidence))
