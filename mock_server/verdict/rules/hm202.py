"""HM202: a create whose body was refused is repeated unchanged."""

from collections.abc import Iterator
from functools import partial

from mock_server.verdict.answers import refuses_body
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import orders_after_refusal, wanted
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for refused, again in orders_after_refusal(evidence, partial(refuses_body, evidence)):
        if len(again) < wanted(evidence, refused):
            yield CLEAN
            continue
        yield Found(
            {"first": refused.id, "status": refused.status, "times": len(again)},
            (refused, *again),
        )
