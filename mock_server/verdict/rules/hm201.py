"""HM201: a create is repeated although the credits do not suffice."""

from bisect import bisect_left
from collections.abc import Iterator
from functools import partial

from mock_server.verdict.answers import lacks_credits
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import orders_after_refusal, wanted
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request

_MOST_REPEATS = 1


def find(evidence: Evidence) -> Iterator[Outcome]:
    for refused, later in orders_after_refusal(evidence, partial(lacks_credits, evidence)):
        repeats = [each for each in later if not _came_back_between(evidence, refused, each)]
        if len(repeats) <= _MOST_REPEATS + wanted(evidence, refused) - 1:
            yield CLEAN
            continue
        yield Found({"first": refused.id, "times": len(repeats)}, (refused, *repeats))


def _came_back_between(evidence: Evidence, earlier: Request, later: Request) -> bool:
    """Whether the account got credits between two requests."""
    returns_ms = evidence.returns_ms.get(earlier.exchange.account or "", ())
    first = bisect_left(returns_ms, earlier.exchange.started_ms)
    return any(each <= later.exchange.started_ms for each in returns_ms[first : first + 1])
