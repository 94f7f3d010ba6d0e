"""HM107: a client that is started again orders running jobs once more."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, credits_of, equal_orders
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.restarts import is_after_kill, told_before_kill


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in told_before_kill(evidence):
        later = [each for each in equal_orders(evidence, create) if is_after_kill(evidence, each)]
        again = paid_once.again(create, later)
        if not again:
            yield CLEAN
            continue
        yield Found(
            {"first": create.id, "second": again[0].id, "paid": create.made},
            (create.id, *(each.id for each in again)),
            again[0].made,
            credits_of(evidence, again),
        )
