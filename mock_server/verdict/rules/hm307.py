"""HM307: a request has no time limit."""

from collections.abc import Iterator

from mock_server.core.effects import ConnectionFault
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear
from mock_server.verdict.requests import Request

_KILLED_MS = 1000
"""The time in which the end of a killed client's connections is seen."""


def find(evidence: Evidence) -> Iterator[Outcome]:
    for request in evidence.requests:
        if not _hangs(evidence, request) or _may_be_held(evidence, request):
            continue
        ended_ms = evidence.run.ended_wall_ms
        was_left = request.exchange.ended_by == "caller_left"
        if was_left and (ended_ms is None or request.ended_wall_ms < ended_ms - _KILLED_MS):
            yield CLEAN
        elif not evidence.run.reached_limit or ended_ms is None:
            yield Unclear("whether the client would have hung up at its limit (run.limit_s)")
        elif 2 * (ended_ms - request.started_wall_ms) < 1000 * (evidence.run.limit_s or 0):
            yield Unclear("the request hung for less than half of the limit")
        else:
            waited_s = (ended_ms - request.started_wall_ms) / 1000
            yield Found({"first": request.id, "waited_s": f"{waited_s:.0f}"}, [request])


def _hangs(evidence: Evidence, request: Request) -> bool:
    effects = evidence.effects_on(request)
    return any(isinstance(each, ConnectionFault) and each.how == "hang" for each in effects)


def _may_be_held(evidence: Evidence, request: Request) -> bool:
    """Whether it is a create that the API may hold until its task has ended."""
    api = evidence.apis.get(request.exchange.api or "")
    if api is None or not request.is_create or not api.answered_at_once:
        return False
    body = request.document if isinstance(request.document, dict) else {}
    return any(body.get(name) != value for name, value in api.answered_at_once.items())
