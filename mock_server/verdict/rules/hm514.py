"""HM514: a webhook that never comes is never noticed."""

from collections.abc import Iterator

from mock_server.core.tasks import Task
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear


def find(evidence: Evidence) -> Iterator[Outcome]:
    for task in evidence.tasks.values():
        if not _is_never_told(evidence, task):
            continue
        looks = evidence.looks_at(task.id)
        has_noticed = evidence.run.ended_by == "itself" and evidence.run.exit_code != 0
        if has_noticed or any(each.exchange.started_ms >= task.planned.ends_ms for each in looks):
            yield CLEAN
        elif not evidence.run.reached_limit:
            yield Unclear("the client was not running at its limit (run.limit_s)")
        else:
            yield Found(
                {"limit_s": f"{evidence.run.limit_s:g}"},
                [evidence.maker_of[task.id]] if task.id in evidence.maker_of else (),
                task.id,
                evidence.price_of(task.id),
            )


def _is_never_told(evidence: Evidence, task: Task) -> bool:
    """Whether the task has ended and the client waits for an event that was never sent."""
    waits = task.order.callback_url is not None or any(
        endpoint.account == task.order.account and endpoint.is_active
        for endpoint in evidence.endpoints
        if evidence.sends_to_endpoints(task.order.api)
    )
    has_ended = task.planned.ends_ms <= evidence.now_ms
    return has_ended and waits and not any(evidence.deliveries_about(task.id))
