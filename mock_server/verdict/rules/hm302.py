"""HM302: a client waits without a ceiling for a job that never ends."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear

_LEAST_LOOKS = 2


def find(evidence: Evidence) -> Iterator[Outcome]:
    for task in evidence.tasks.values():
        looks = evidence.looks_at(task.id)
        if task.planned.ends_ms <= evidence.now_ms or len(looks) < _LEAST_LOOKS:
            continue
        if evidence.run.ended_by == "itself":
            yield CLEAN
        elif not evidence.run.reached_limit or _has_stopped(evidence, looks[-1].started_wall_ms):
            yield Unclear("the client was not looking at its limit (run.limit_s)")
        else:
            yield Found(
                {"times": len(looks), "limit_s": f"{evidence.run.limit_s:g}"},
                (looks[0], looks[-1]),
                task.id,
            )


def _has_stopped(evidence: Evidence, last_ms: int) -> bool:
    """Whether the last look is so old that the client may have stopped."""
    run = evidence.run
    started_ms, ended_ms = run.started_wall_ms or 0, run.ended_wall_ms or 0
    return ended_ms - last_ms > (ended_ms - started_ms) / 2
