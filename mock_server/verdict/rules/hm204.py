"""HM204: exhausted credits that come as 429 are retried like a rate limit."""

from collections.abc import Iterator

from mock_server.verdict.answers import speaks_of_credits
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for group in evidence.calls.values():
        refused = [each for each in group if speaks_of_credits(each)]
        if not refused:
            continue
        repeats = [each for each in refused[1:] if evidence.could_know(refused[0], each)]
        if len(repeats) < 2:
            yield CLEAN
            continue
        yield Found(
            {"first": refused[0].id, "times": len(repeats)},
            (refused[0].id, *(each.id for each in repeats)),
        )
