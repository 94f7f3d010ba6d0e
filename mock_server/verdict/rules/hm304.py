"""HM304: an unknown state of a task breaks the client, or is taken for the end."""

from collections.abc import Iterator

from mock_server.verdict.answers import unknown_state
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.silence import given_up_at


def find(evidence: Evidence) -> Iterator[Outcome]:
    strange = [each for each in evidence.requests if each.is_look and unknown_state(evidence, each)]
    return given_up_at(evidence, strange)
