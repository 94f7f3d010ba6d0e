"""HM209: retries have no random part, so that clients come all at once."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.failing import failing_attempts, pauses_ms
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_LEAST_ATTEMPTS = 4
_MOST_SERIES = 50
_SAME_MS = 3
_SAME_PART = 0.02
"""Timers of a busy machine are late by a few milliseconds."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    several = list(failing_attempts(evidence, _LEAST_ATTEMPTS))[:_MOST_SERIES]
    for one, other in combinations(several, 2):
        pairs = list(zip(pauses_ms(evidence, one), pauses_ms(evidence, other), strict=False))
        if not _are_same(pairs):
            yield CLEAN
            continue
        yield Found(
            {"first": one[0].id, "second": other[0].id, "times": len(pairs)},
            (one[0], other[0]),
        )
        return


def _are_same(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether all pauses but one are equal: one attempt may have had to open a connection."""
    differ = [
        abs(first - second) > max(_SAME_MS, _SAME_PART * min(first, second))
        for first, second in pairs
    ]
    return sum(differ) <= 1
