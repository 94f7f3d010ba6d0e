"""Clients that give up: after a trouble nothing more is asked about a paid task."""

from collections.abc import Iterable, Iterator

from mock_server.verdict.downloads import is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import is_alive
from mock_server.verdict.outcomes import CLEAN, Clean, Found, Outcome, Unclear
from mock_server.verdict.requests import Request
from mock_server.verdict.rule import Need

_MANY = 3
"""So many times the looks of the quiet run may be all that the client ever makes."""


def given_up_at(
    evidence: Evidence, troubled: Iterable[Request], sentence: str | None = None
) -> Iterator[Outcome]:
    """For each of these answers and each task that it was about, whether the client then asked no
    more about that task, ended by itself, and did more in the quiet run.
    sentence: in place of the rule's own."""
    known: set[tuple[str, bool]] = set()
    for request in troubled:
        about = [request.made] if request.made is not None else evidence.tasks_of(request)
        for task_id in sorted(about):
            if (task_id, request.is_create) in known:
                continue  # after the first such answer it had gone on
            known.add((task_id, request.is_create))
            reason = why_not_given_up(evidence, request, task_id)
            reason = reason or why_no_time_left(evidence, request)
            yield reason or Found(
                {"first": request.id, "status": request.status},
                [request],
                task_id,
                evidence.price_of(task_id),
                sentence=sentence,
            )


def why_not_given_up(evidence: Evidence, request: Request, task_id: str) -> Clean | Unclear | None:
    """Why the client did not give up at this answer, or why that is not known; None if it did."""
    if _came_back(evidence, request, task_id) or _was_done(evidence, request, task_id):
        return CLEAN
    before = [each for each in evidence.about(task_id) if each.number < request.number]
    if before and before[-1].has_failed:
        return CLEAN  # it had tried again already
    if not is_alive(evidence, task_id, evidence.now_ms):
        return CLEAN
    if evidence.run.ended_by is None:
        return Unclear("how the client's run ended is not known")
    if evidence.run.ended_by != "itself":
        return Unclear("the client was ended from outside, before it could go on")
    if evidence.control is None:
        return Unclear(f"not known: {Need.CONTROL.sentence}")
    if len(before) > _MANY * _most_looks(evidence.control):
        return Unclear("the client may have reached the number of looks after which it gives up")
    if not _went_on_in_control(evidence, evidence.control, task_id):
        return Unclear("in the quiet run the client did not go on either")
    return None


def why_no_time_left(evidence: Evidence, request: Request) -> Unclear | None:
    """Why the client may have reached a time limit of its own at this answer: it had been running
    for longer than it needed for all in the quiet run. None if it had not."""
    control = evidence.control
    if control is None or not control.requests:
        return None
    first, quiet = evidence.requests[0], control.requests
    needed_ms = max(each.ended_wall_ms for each in quiet) - quiet[0].started_wall_ms
    if request.ended_wall_ms - first.started_wall_ms <= needed_ms:
        return None
    return Unclear("the client may have reached its own time limit")


def _came_back(evidence: Evidence, request: Request, task_id: str) -> bool:
    """Whether the client asked about the task again, ordered it again, or got its event."""
    about, order = evidence.about(task_id), evidence.maker_of.get(task_id)
    orders = [] if order is None else evidence.calls[order.call]
    if any(each[-1].number > request.number for each in (about, orders) if each):
        return True
    return any(
        each.attempt.was_accepted and each.attempt.started_ms >= request.exchange.started_ms
        for each in evidence.sent_about(task_id)
    )


def _was_done(evidence: Evidence, request: Request, task_id: str) -> bool:
    """Whether the client had its result before, or needed none."""
    if any(is_whole(each) for each in evidence.downloads_of(task_id)):
        return True
    told = evidence.ends_told.get(task_id)
    was_told = told is not None and told.number < request.number
    return was_told and not _downloads(evidence.control)


def _went_on_in_control(evidence: Evidence, control: Evidence, task_id: str) -> bool:
    if _downloads(control):
        return not evidence.downloads_of(task_id)
    return bool(control.ends_told) and task_id not in evidence.ends_told


def _most_looks(control: Evidence) -> int:
    """The greatest number of looks at one task in the quiet run, at least one."""
    return max((len(control.looks_at(task_id)) for task_id in control.tasks), default=1) or 1


def _downloads(control: Evidence | None) -> bool:
    """Whether the client downloaded a result in the quiet run."""
    return control is not None and any(each.is_download for each in control.requests)
