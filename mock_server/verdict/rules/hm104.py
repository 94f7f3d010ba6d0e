"""HM104: after a conflict the create is sent with a new key."""

from collections.abc import Iterator
from functools import partial

from mock_server.verdict.answers import refuses_used_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, credits_of, maker_of_key
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request


def _has_other_key(refused: Request, later: Request) -> bool:
    return later.key != refused.key


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for refused in evidence.creates:
        first = maker_of_key(evidence, refused)
        if first is None or not refuses_used_key(evidence, refused):
            continue
        if not first.has_same_body(refused):
            continue
        again = paid_once.again(first, refused, partial(_has_other_key, refused))
        if not again:
            yield CLEAN
            continue
        yield Found(
            {"first": first.id, "refused": refused.id, "second": again[0].id, "paid": first.made},
            (first.id, refused.id, *(each.id for each in again)),
            again[0].made,
            credits_of(evidence, again),
        )
