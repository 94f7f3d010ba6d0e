"""HM210: a broken connection on a look, which costs nothing, ends the run."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.silence import given_up_at


def find(evidence: Evidence) -> Iterator[Outcome]:
    broken = [
        each
        for each in evidence.requests
        if each.is_look and each.exchange.ended_by == "reset_by_fault"
    ]
    return given_up_at(evidence, broken)
