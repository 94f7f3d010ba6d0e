"""Attempts at the same call that failed or were refused one after the other, and their pauses."""

from collections.abc import Callable, Iterator, Sequence
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


def refused_again(
    evidence: Evidence, is_refused: Callable[[Request], bool]
) -> Iterator[tuple[Request, list[Request]]]:
    """The first attempt at each call that was refused so, with those refusals after it that came
    although the client could know the first one."""
    for group in evidence.calls.values():
        refused = list(filter(is_refused, group))
        if refused:
            first, *later = refused
            yield first, [each for each in later if evidence.could_know(first, each)]
