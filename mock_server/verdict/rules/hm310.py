"""HM310: a success without a result is believed."""

from collections.abc import Iterator

from mock_server.core.json_values import value_at
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request, has_failed
from mock_server.verdict.silence import why_not_given_up


def find(evidence: Evidence) -> Iterator[Outcome]:
    known: set[str] = set()
    for request in evidence.requests:
        for task_id in sorted(_ended_without_url(evidence, request) - known):
            known.add(task_id)
            reason = why_not_given_up(evidence, request, task_id)
            if reason is None and evidence.run.exit_code != 0:
                reason = CLEAN
            yield reason or Found(
                {"first": request.id}, [request], task_id, evidence.price_of(task_id)
            )


def _ended_without_url(evidence: Evidence, request: Request) -> set[str]:
    """The tasks that had succeeded, and whose answer a fault left without the URL."""
    places = evidence.client_facts(request.exchange.api).url_at
    if not (request.is_ok and request.exchange.faults and places):
        return set()
    if request.answer is None or any(value_at(request.answer, place) for place in places):
        return set()
    about = evidence.tasks_of(request) if request.is_look else {request.made or ""}
    begins_ms = request.exchange.started_ms if request.is_look else request.exchange.ended_ms or 0
    return {
        task_id
        for task_id in about
        if (task := evidence.tasks.get(task_id)) is not None
        and task.planned.ends_ms <= begins_ms
        and not has_failed(task, begins_ms)
    }
