"""Attempts at the same call that failed one after the other, and the pauses between them."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request


def failing_attempts(evidence: Evidence, at_least: int) -> Iterator[list[Request]]:
    """Each series of attempts at the same call, one after the other, all of which failed but
    perhaps the last one; only those with so many attempts."""
    for group in evidence.calls.values():
        series: list[Request] = []
        for request in group:
            if request.exchange.api and (not series or request.is_after(series[-1])):
                series.append(request)
                if not request.has_failed:
                    if len(series) >= at_least:
                        yield series
                    series = []
        if len(series) >= at_least:
            yield series


def pauses_ms(evidence: Evidence, series: Sequence[Request]) -> list[int]:
    """The pauses between these attempts, by the machine's clock."""
    return [evidence.waited_ms(earlier, later) for earlier, later in pairwise(series)]
