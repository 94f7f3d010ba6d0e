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
    longest = 1
    for size in range(1, len(pauses) // 2 + 1):
        # The pause after the first burst is longer than all before it: so few sizes are left.
        is_first_outer = pauses[size - 1] > _LONGER * longest
        longest = max(longest, pauses[size - 1])
        if size < 2 or not is_first_outer:
            continue
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
            series,
        )
