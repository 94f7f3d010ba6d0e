"""HM308: an answer that is no JSON breaks the client."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.silence import given_up_at


def find(evidence: Evidence) -> Iterator[Outcome]:
    odd = [
        each
        for each in evidence.requests
        if each.is_look
        and each.reached
        and each.answer is None
        and (each.is_ok or (each.status or 0) >= 500)
    ]
    return given_up_at(evidence, odd)
