"""HM511: events are acknowledged too slowly."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from mock_server.core.deliveries import Attempt
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Clean, Found, Outcome, Unclear

_TOLERANCE_S = 0.1


def find(evidence: Evidence) -> Iterator[Outcome]:
    outcomes = list(_outcomes(evidence))
    # One slow answer alone may be due to a busy machine.
    is_note = sum(not isinstance(each, Clean) for each in outcomes) == 1
    for each in outcomes:
        yield replace(each, is_note=is_note) if isinstance(each, Found) else each


def _outcomes(evidence: Evidence) -> Iterator[Outcome]:
    started_by: dict[str, int] = {}
    for sent in evidence.sent:
        limit_s = evidence.client_facts(sent.event.api).acknowledged_within_s
        if limit_s is None or not sent.reached or sent.fault.bytes_per_s is not None:
            continue
        # What came before the first answer belongs to the start of the receiver, too.
        first_ended_ms = started_by.setdefault(sent.delivery.receiver, sent.attempt.ended_ms or 0)
        taken_s = _seconds_taken(sent.attempt)
        if taken_s is None:
            yield Unclear("how long the receiver took is not known")
        elif taken_s < limit_s - _TOLERANCE_S:
            if sent.was_answered:
                yield CLEAN
        elif sent.attempt.started_ms < first_ended_ms or sent.attempt.ended_ms == first_ended_ms:
            yield Unclear("only the first event was slow: the receiver may have been starting")
        elif _was_disturbed(evidence, sent.attempt):
            yield Unclear("the client's own requests failed while it answered the event")
        else:
            yield Found(
                {"event": sent.event.id, "taken_s": f"{taken_s:.1f}", "limit_s": f"{limit_s:g}"},
                task=sent.event.subject,
            )


def _seconds_taken(attempt: Attempt) -> float | None:
    """The real time until an attempt ended; None if it is not known."""
    started_ms, ended_ms = attempt.started_wall_ms, attempt.ended_wall_ms
    return None if started_ms is None or ended_ms is None else (ended_ms - started_ms) / 1000


def _was_disturbed(evidence: Evidence, attempt: Attempt) -> bool:
    """Whether a fault met a request of the client during the attempt."""
    began_ms, ended_ms = attempt.started_wall_ms or 0, attempt.ended_wall_ms or 0
    first = bisect_left(evidence.faulty_wall_ms, began_ms)
    return any(each <= ended_ms for each in evidence.faulty_wall_ms[first : first + 1])
