"""HM501: a forged or unsigned event is believed."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.forgeries import believed, expects_signature
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.sent import Sent


def find(evidence: Evidence) -> Iterator[Outcome]:
    def is_forged(sent: Sent) -> bool:
        fault = sent.fault
        is_wrong = fault.signed_with in {"wrong", "nothing"} or fault.altered
        return is_wrong and expects_signature(evidence, sent)

    return believed(evidence, is_forged)
