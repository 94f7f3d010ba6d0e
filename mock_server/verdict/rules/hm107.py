"""HM107: a client that is started again orders running jobs once more."""

from collections.abc import Iterator
from functools import partial

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.restarts import is_after_kill, told_before_kill


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in told_before_kill(evidence):
        again = paid_once.again(create, partial(is_after_kill, evidence))
        yield paid_again(evidence, [create], again)
