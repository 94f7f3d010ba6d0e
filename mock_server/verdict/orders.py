"""Equal orders: which tasks were wanted, and which were made and paid for once more."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile

from mock_server.verdict.answers import refuses_used_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request, has_failed


def equal_orders(evidence: Evidence, create: Request) -> list[Request]:
    """Every create with the same order, this one included, in order."""
    return [each for each in evidence.calls[create.call] if each.is_create]


def orders_until(evidence: Evidence, create: Request, until_ms: int) -> Iterator[Request]:
    """The creates with the same order that began later than this one, and before this time of the
    world's clock."""
    group = evidence.calls[create.call]
    first = bisect_right(group, create.number, key=lambda each: each.number)
    later = (each for each in islice(group, first, None) if each.is_create)
    return takewhile(lambda each: each.exchange.started_ms < until_ms, later)


def later_orders(evidence: Evidence, create: Request) -> list[Request]:
    """The creates with the same order that began when this one had ended."""
    return [each for each in equal_orders(evidence, create) if each.is_after(create)]


def lost_creates(evidence: Evidence) -> Iterator[Request]:
    """The creates that made a task whose id their callers were not told, in order.

    Those that ended because the client was killed are left out: it had no time to note anything."""
    for create in evidence.creates:
        is_lost = create.made is not None and not create.is_open and not create.told_task
        was_stopped = create.exchange.ended_by == "server_stopped"
        if not is_lost or was_stopped or _says_no(create):
            continue
        if not evidence.was_killed_during(create):
            yield create


def _says_no(create: Request) -> bool:
    """Whether the answer said clearly, and wrongly, that no task was made."""
    return create.reached and 400 <= (create.status or 0) < 500 and create.status != 408


def paid_after_loss(
    evidence: Evidence, is_wrong: Callable[[Request, Request], bool]
) -> Iterator[tuple[Request, list[Request]]]:
    """Each create whose answer was lost, with the equal ones after it that made unwanted tasks.

    is_wrong: whether a later create is a mistake, given the lost one and the later one. No task is
    in two of the lists."""
    reported: set[str] = set()
    for create in lost_creates(evidence):
        later = [each for each in later_orders(evidence, create) if is_wrong(create, each)]
        again = [each for each in paid_again(evidence, create, later) if each.id not in reported]
        if create.id not in reported or again:
            reported.update(each.id for each in again)
            yield create, again


def first_of_each_order(creates: Iterable[Request]) -> list[Request]:
    """The creates without those whose order an earlier one of them has."""
    firsts: dict[tuple[object, ...], Request] = {}
    for each in creates:
        firsts.setdefault(each.call, each)
    return list(firsts.values())


def maker_of_key(evidence: Evidence, create: Request) -> Request | None:
    """The earlier create with the same key that made a task; None if there is none."""
    first = evidence.makers.get((create.exchange.account, create.key))
    return first if first is not None and first.number < create.number else None


def keys_in_conflict(evidence: Evidence) -> frozenset[str]:
    """The keys with which a create was refused because an equal one before it had made a task."""
    return frozenset(
        each.key
        for each in evidence.creates
        if each.key is not None
        and refuses_used_key(evidence, each)
        and (first := maker_of_key(evidence, each)) is not None
        and first.has_same_body(each)
    )


def is_same_job(one: Request, other: Request) -> bool:
    """Whether both creates have the same prompt, so that one may be a repeat of the other."""
    return one.prompt == other.prompt


def credits_of(evidence: Evidence, creates: Iterable[Request]) -> int:
    """The credits that the tasks of these creates cost, without those given back."""
    return sum(evidence.price_of(each.made) for each in creates if each.made is not None)


def is_alive(evidence: Evidence, task_id: str, at_ms: int) -> bool:
    """Whether the task was paid for at this time: it had not failed."""
    task = evidence.tasks.get(task_id)
    return task is not None and not has_failed(task, at_ms)


def paid_again(evidence: Evidence, create: Request, candidates: Sequence[Request]) -> list[Request]:
    """Those of the creates that made a further task while the task of `create` was paid for, and
    whose tasks were not wanted."""
    first = create.exchange.task or ""
    again = [
        each
        for each in candidates
        if each.made is not None
        and each.made != first
        and is_alive(evidence, first, each.exchange.started_ms)
    ]
    return again[len(again) - min(len(again), surplus(evidence, create)) :]


class PaidOnce:
    """Finds orders that were paid again, and counts each of them for one earlier order only."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._reported: set[str] = set()

    def again(self, create: Request, candidates: Iterable[Request]) -> list[Request]:
        """As `paid_again`, without the orders that were found before."""
        new = [each for each in candidates if each.id not in self._reported]
        again = paid_again(self._evidence, create, new)
        self._reported.update(each.id for each in again)
        return again


def surplus(evidence: Evidence, create: Request) -> int:
    """How many paid tasks with this order are more than was wanted."""
    return max(0, evidence.paid_orders[create.call] - wanted(evidence, create))


def wanted(evidence: Evidence, create: Request) -> int:
    """How many tasks with this order were wanted.

    With `expected_jobs`, those that the other orders leave. Else as many as in the quiet run,
    at least one."""
    if evidence.expected_jobs is not None:
        others = evidence.paid_orders.total() - evidence.paid_orders[create.call]
        return max(1, evidence.expected_jobs - others)
    return max(1, in_control(evidence, create))


def in_control(evidence: Evidence, create: Request) -> int:
    """How many tasks with this order were made in the quiet run; 0 without one."""
    return 0 if evidence.control is None else evidence.control.made_orders[create.outline]
