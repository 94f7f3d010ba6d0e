"""Pauses that an answer asked for, and those that the client made."""

from collections.abc import Iterable, Iterator

from mock_server.verdict.evidence import ON_ITS_WAY_MS, Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request

HUGE_WAIT_S = 3600
"""A pause that no client waits for: it gives up, or asks a person."""

_TOLERANCE_MS = 100
"""Timers end a little early, and the network's time differs."""

_LONGER = 1.5
"""A pause that is so many times longer than the usual one was made on purpose."""

_TOLERANCE_OF_DATES_MS = 1100
"""A date has whole seconds: the client may have read an earlier one from its own clock."""


def next_same_call(evidence: Evidence, request: Request) -> Request | None:
    """The next request that is the same and can follow from the answer to this one."""
    return next(evidence.following(request, evidence.calls[request.call]), None)


def waits_obeyed(evidence: Evidence, told: Iterable[Request]) -> Iterator[Outcome]:
    """For each answer with a Retry-After, whether the same request came too early."""
    for first in told:
        second = next_same_call(evidence, first)
        asked_s = first.retry_after_s or 0
        tolerance_ms = _TOLERANCE_OF_DATES_MS if first.retry_after_is_date else _TOLERANCE_MS
        # The server may have noted the end of its answer after the client had it.
        tolerance_ms += first.ended_wall_ms - first.started_wall_ms
        least_ms = asked_s * 1000 - tolerance_ms
        waited_ms = 0 if second is None else evidence.waited_ms(first, second)
        if second is None or waited_ms >= least_ms or _kept_it(evidence, first, second, least_ms):
            yield CLEAN
            continue
        yield Found(
            {
                "first": first.id,
                "second": second.id,
                "asked_s": f"{asked_s:.0f}",
                "waited_s": f"{waited_ms / 1000:.1f}",
            },
            (first, second),
        )


def _kept_it(evidence: Evidence, first: Request, second: Request, least_ms: float) -> bool:
    """Whether the client kept the pause after all, which is longer than its usual one, or did
    nothing more: then another worker had sent the second request already."""
    if second.started_wall_ms - first.ended_wall_ms > ON_ITS_WAY_MS:
        return False
    if second is evidence.requests[-1] and evidence.run.ended_by == "itself":
        return not second.is_create  # of an order, each worker has its own
    third = next_same_call(evidence, second)
    quiet = evidence if evidence.control is None else evidence.control
    if third is None or not quiet.usual_pause_ms or evidence.waited_ms(first, third) < least_ms:
        return False
    pause_ms = third.started_wall_ms - second.ended_wall_ms
    return pause_ms > _LONGER * quiet.usual_pause_ms
