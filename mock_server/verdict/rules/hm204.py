"""HM204: exhausted credits that come as 429 are retried like a rate limit."""

from collections.abc import Iterator

from mock_server.verdict.answers import speaks_of_credits
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.failing import refused_again
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for refused, again in refused_again(evidence, speaks_of_credits):
        if len(again) < 2:
            yield CLEAN
            continue
        yield Found({"first": refused.id, "times": len(again)}, (refused, *again))
