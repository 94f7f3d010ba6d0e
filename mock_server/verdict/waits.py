"""Pauses that an answer asked for, and those that the client made."""

from collections.abc import Iterable, Iterator

from mock_server.verdict.evidence import ON_ITS_WAY_MS, Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.workers import came_beside

HUGE_WAIT_S = 3600
"""A pause that no client waits for: it gives up, or asks a person."""

_TOLERANCE_MS = 100
"""Timers end a little early, and the network's time differs."""

_TOLERANCE_OF_DATES_MS = 1100
"""A date has whole seconds: the client may have read an earlier one from its own clock."""


def next_same_call(evidence: Evidence, request: Request) -> Request | None:
    """The next request that is the same and can follow from the answer to this one: another worker
    did not send it beside this one."""
    for each in evidence.calls[request.call]:
        is_soon = each.started_wall_ms - request.ended_wall_ms <= ON_ITS_WAY_MS
        is_beside = is_soon and came_beside(request, each, evidence.connections)
        if evidence.could_know(request, each) and not is_beside:
            return each
    return None


def waits_obeyed(evidence: Evidence, told: Iterable[Request]) -> Iterator[Outcome]:
    """For each answer with a Retry-After, whether the same request came too early."""
    for first in told:
        second = next_same_call(evidence, first)
        asked_s = first.retry_after_s or 0
        tolerance_ms = _TOLERANCE_OF_DATES_MS if first.retry_after_is_date else _TOLERANCE_MS
        # The server may have noted the end of its answer after the client had it.
        tolerance_ms += first.ended_wall_ms - first.started_wall_ms
        waited_ms = 0 if second is None else evidence.waited_ms(first, second)
        if second is None or waited_ms >= asked_s * 1000 - tolerance_ms:
            yield CLEAN
            continue
        yield Found(
            {
                "first": first.id,
                "second": second.id,
                "asked_s": f"{asked_s:.0f}",
                "waited_s": f"{waited_ms / 1000:.1f}",
            },
            (first.id, second.id),
        )
