"""HM506: two copies of an event at the same moment are both acted on."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.repetitions import acted_too_often, copies_at_once


def find(evidence: Evidence) -> Iterator[Outcome]:
    return acted_too_often(evidence, copies_at_once(evidence))
