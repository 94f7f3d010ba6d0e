"""What the client did about the events that its receiver got, and whether it had time for it."""

from typing import Any

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear
from mock_server.verdict.sent import Sent

_LONG_MS = 10_000
_AT_LIMIT_MS = 3000
"""The limit is the longest wait that the user accepts; an event shortly before it is early."""


def times_acted(evidence: Evidence) -> int:
    """How often the client had acted at the last reading."""
    return evidence.readings[-1].count if evidence.readings else 0


def acts_wanted(evidence: Evidence) -> int:
    """How often the client may have acted: once for each task that has ended."""
    return sum(1 for task in evidence.tasks.values() if task.planned.ends_ms <= evidence.now_ms)


def _had_time_to_act(evidence: Evidence, since_wall_ms: int | None) -> bool:
    """Whether the client ended by itself, or had so much real time since then that its work cannot
    be on its way."""
    if evidence.run.ended_by == "itself":
        return True
    ended_ms = evidence.run.ended_wall_ms
    waited_ms = 0 if since_wall_ms is None or ended_ms is None else ended_ms - since_wall_ms
    return waited_ms >= (_AT_LIMIT_MS if evidence.run.reached_limit else _LONG_MS)


def lost_work(evidence: Evidence, sent: Sent, since_wall_ms: int | None, **values: Any) -> Outcome:
    """Whether work is lost that the client had to do since then because of this event. values: for
    further places of the sentence."""
    acted, wanted = times_acted(evidence), acts_wanted(evidence)
    if acted >= wanted:
        return CLEAN
    if not _had_time_to_act(evidence, since_wall_ms):
        return Unclear("the client was ended from outside, before it could do its work")
    counts = {"event": sent.event.id, "acted": acted, "wanted": wanted}
    return Found({**counts, **values}, task=sent.event.subject)
