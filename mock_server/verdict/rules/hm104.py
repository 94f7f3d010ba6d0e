"""HM104: after a conflict the create is sent with a new key."""

from collections.abc import Iterator
from functools import partial

from mock_server.verdict.answers import refuses_used_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, maker_of_key, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request


def _has_other_key(refused: Request, later: Request) -> bool:
    return later.key != refused.key


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for refused in evidence.creates:
        first = maker_of_key(evidence, refused)
        if first is None or not refuses_used_key(evidence, refused) or first.body != refused.body:
            continue
        again = paid_once.again(first, partial(_has_other_key, refused), after=refused)
        yield paid_again(evidence, [first, refused], again, refused=refused.id)
