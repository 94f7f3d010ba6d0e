"""HM202: a create whose body was refused is repeated unchanged."""

from collections.abc import Iterator

from mock_server.verdict.answers import refuses_body
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import first_of_each_order, later_orders, wanted
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    refusals = (each for each in evidence.creates if refuses_body(evidence, each))
    for refused in first_of_each_order(refusals):
        again = later_orders(evidence, refused)
        if len(again) < wanted(evidence, refused):
            yield CLEAN
            continue
        yield Found(
            {"first": refused.id, "status": refused.status, "times": len(again)},
            (refused.id, *(each.id for each in again)),
        )
