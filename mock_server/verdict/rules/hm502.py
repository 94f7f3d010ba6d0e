"""HM502: an event with an old or future time is believed."""

from collections.abc import Iterator

from mock_server.core.signing import TOLERANCE_S
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.forgeries import believed
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.sent import Sent


def find(evidence: Evidence) -> Iterator[Outcome]:
    def is_stale(sent: Sent) -> bool:
        api = evidence.apis.get(sent.event.api)
        return (
            api is not None
            and api.signs_time
            and abs(sent.fault.signed_s) > TOLERANCE_S
            and sent.fault.signed_with == "current"
            and not sent.fault.altered
        )

    return believed(evidence, is_stale)
