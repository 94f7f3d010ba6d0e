"""The short timeline of a finding: its requests and the end of its task, in order."""

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Found, Moment
from mock_server.verdict.requests import Request

MOST_MOMENTS = 20
_ENDINGS = {
    "caller_left": "the client closed the connection",
    "reset_by_fault": "the connection was broken",
    "server_stopped": "the server stopped",
}


def timeline_of(found: Found, evidence: Evidence) -> tuple[Moment, ...]:
    """The moments of a finding, the oldest first."""
    moments = [
        Moment(each.exchange.started_ms, each.exchange.started_wall_ms, _words(each, evidence))
        for each in sorted(found.requests, key=lambda each: each.number)
    ]
    task = evidence.tasks.get(found.task or "")
    if task is not None and task.planned.ends_ms <= evidence.now_ms:
        state = task.state_at(evidence.now_ms).value
        moments.append(Moment(task.planned.ends_ms, None, f"task {task.id} {state}"))
    moments.sort(key=lambda each: each.at_ms)
    return tuple(moments[:MOST_MOMENTS])


def _words(request: Request, evidence: Evidence) -> str:
    exchange = request.exchange
    answer = f"answered {exchange.status}" if exchange.status is not None else "no answer"
    if request.code:
        answer += f" {request.code}"
    if not request.reached and exchange.ended_by in _ENDINGS:
        answer += f", {_ENDINGS[exchange.ended_by]}"
    words = f"{exchange.method} {exchange.path}: {answer}"
    if request.made is not None:
        task = evidence.tasks.get(request.made)
        price_credits = 0 if task is None else task.order.price_credits
        words += f"; made task {request.made}, {price_credits} credits held"
    elif request.is_create and exchange.task is not None:
        words += f"; repeats the create of task {exchange.task}"
    return words
