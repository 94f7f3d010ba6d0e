"""HM201: a create is repeated although the credits do not suffice."""

from collections.abc import Iterator

from mock_server.verdict.answers import lacks_credits
from mock_server.verdict.credits import came_back_between
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import first_of_each_order, later_orders, wanted
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_MOST_REPEATS = 1


def find(evidence: Evidence) -> Iterator[Outcome]:
    refusals = (each for each in evidence.creates if lacks_credits(evidence, each))
    for refused in first_of_each_order(refusals):
        repeats = [
            each
            for each in later_orders(evidence, refused)
            if not came_back_between(evidence, refused, each)
        ]
        if len(repeats) <= _MOST_REPEATS + wanted(evidence, refused) - 1:
            yield CLEAN
            continue
        yield Found(
            {"first": refused.id, "times": len(repeats)},
            (refused.id, *(each.id for each in repeats)),
        )
