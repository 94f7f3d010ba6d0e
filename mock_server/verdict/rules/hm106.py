"""HM106: the retries of a library are multiplied by the client's own."""

from collections.abc import Iterator, Sequence

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.failing import failing_attempts, pauses_ms
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_LEAST_ATTEMPTS = 6
_LONGER = 2
"""How many times longer the pause after a burst is than each pause inside one."""


def _burst_of(pauses: Sequence[int]) -> int | None:
    """The number of attempts in each burst; None if the pauses form no bursts of one size."""
    for size in range(2, len(pauses) // 2 + 1):
        outer = [pause for place, pause in enumerate(pauses, 1) if place % size == 0]
        inner = [pause for place, pause in enumerate(pauses, 1) if place % size]
        if len(outer) >= 2 and min(outer) > _LONGER * max(*inner, 1):
            return size
    return None


def find(evidence: Evidence) -> Iterator[Outcome]:
    for series in failing_attempts(evidence, _LEAST_ATTEMPTS):
        size = _burst_of(pauses_ms(evidence, series))
        if size is None:
            yield CLEAN
            continue
        yield Found(
            {"first": series[0].id, "times": len(series), "size": size},
            tuple(each.id for each in series),
        )
