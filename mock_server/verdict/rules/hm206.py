"""HM206: a request is repeated earlier than Retry-After allows."""

from collections.abc import Iterator

from mock_server.verdict.answers import asks_to_wait
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.waits import HUGE_WAIT_S, waits_obeyed


def find(evidence: Evidence) -> Iterator[Outcome]:
    told = [
        each
        for each in evidence.requests
        if asks_to_wait(each)
        and not each.retry_after_is_date
        and 0 < (each.retry_after_s or 0) < HUGE_WAIT_S
    ]
    return waits_obeyed(evidence, told)
