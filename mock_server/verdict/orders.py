"""Equal orders: which tasks were wanted, and which were made and paid for once more."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice, takewhile
from operator import attrgetter
from typing import TypeAlias

from mock_server.verdict.answers import refuses_used_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request, has_failed

WithKey: TypeAlias = bool | None
"""Whether a create has an idempotency key; None: either way."""

_NUMBER = attrgetter("number")


def orders_after(evidence: Evidence, earlier: Request, create: Request) -> Iterator[Request]:
    """The creates with the order of `create` that can follow from the answer to `earlier`."""
    later = evidence.following(earlier, evidence.calls[create.call])
    return (each for each in later if each.is_create)


def later_orders(evidence: Evidence, create: Request) -> list[Request]:
    """The creates with the same order that can follow from the answer to this one."""
    return list(orders_after(evidence, create, create))


def paid_after_loss(
    evidence: Evidence,
    keys_of_repeats: Callable[[Request], WithKey],
    is_wrong: Callable[[Request, Request], bool] = lambda _, __: True,
) -> Iterator[tuple[Request, list[Request]]]:
    """Each create whose answer was lost, with the equal ones after it that made unwanted tasks.

    keys_of_repeats: which later creates are a mistake, given the lost one; is_wrong: and which of
    these, given the lost one and the later one. No task is in two of the lists."""
    paid_once = PaidOnce(evidence)
    for create in evidence.lost_creates:
        was_reported = paid_once.has_reported(create)
        again = paid_once.again(
            create,
            create,
            partial(is_wrong, create),
            with_key=keys_of_repeats(create),
        )
        if again or not was_reported:
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


def conflicts_of_keys(evidence: Evidence) -> dict[str, Request]:
    """The first create that was refused because an equal one before it had made a task, by the
    idempotency key of both."""
    found: dict[str, Request] = {}
    for each in evidence.creates:
        if each.key is not None and refuses_used_key(evidence, each):
            first = maker_of_key(evidence, each)
            if first is not None and first.has_same_body(each):
                found.setdefault(each.key, each)
    return found


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


class PaidOnce:
    """Finds orders that were paid again, and counts each of them for one earlier order only.

    All that it does for all creates of a run takes n log n steps, unless they overlap."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._reported: set[str] = set()
        self._left: dict[object, int] = {}
        self._makers: dict[tuple[object, WithKey], list[Request]] = {}

    def has_reported(self, create: Request) -> bool:
        """Whether this create was found to be paid again."""
        return create.id in self._reported

    def again(
        self,
        create: Request,
        earlier: Request,
        is_meant: Callable[[Request], bool] = lambda _: True,
        *,
        is_soon: Callable[[Request], bool] = lambda _: True,
        overlaps: bool = False,
        with_key: WithKey = None,
    ) -> list[Request]:
        """The meant creates with the order of `create` that can follow from the answer to
        `earlier`, that made a further task while the task of `create` was paid for, and whose tasks
        were not wanted.

        is_soon: false for all that come after the last one that is asked for.
        overlaps: whether the client need not have known that answer.
        with_key: only those with an idempotency key, or only those without."""
        call, first = create.call, create.exchange.task or ""
        if call not in self._left:
            self._left[call] = surplus(self._evidence, create)
        left = self._left[call]
        makers = self._unreported(call, with_key) if left else []
        if not makers or makers[-1].number <= earlier.number:
            return []
        later = (
            islice(makers, bisect_right(makers, earlier.number, key=_NUMBER), None)
            if overlaps
            else self._evidence.following(earlier, makers)
        )
        again = [
            each
            for each in takewhile(is_soon, later)
            if each.made != first
            and is_alive(self._evidence, first, each.exchange.started_ms)
            and is_meant(each)
        ][-left:]
        self._left[call] -= len(again)
        for each in again:
            self._report(each)
        return again

    def _unreported(self, call: object, with_key: WithKey) -> list[Request]:
        """The creates that made a task with this order and were not reported, in order."""
        if (call, with_key) not in self._makers:
            self._makers[call, with_key] = [
                each
                for each in self._evidence.calls[call]
                if each.made is not None
                and each.id not in self._reported
                and with_key in {None, each.key is not None}
            ]
        return self._makers[call, with_key]

    def _report(self, create: Request) -> None:
        self._reported.add(create.id)
        for with_key in (None, True, False):
            makers = self._makers.get((create.call, with_key), [])
            place = bisect_left(makers, create.number, key=_NUMBER)
            if place < len(makers) and makers[place] is create:
                del makers[place]


def surplus(evidence: Evidence, create: Request) -> int:
    """How many paid tasks with this order are more than was wanted."""
    return max(0, evidence.paid_orders[create.call] - wanted(evidence, create))


def wanted(evidence: Evidence, create: Request) -> int:
    """How many tasks with this order were wanted.

    With `expected_jobs`, those that the other orders leave. Else as many as in the quiet run,
    at least one."""
    if evidence.expected_jobs is not None:
        others = evidence.paid_tasks - evidence.paid_orders[create.call]
        return max(1, evidence.expected_jobs - others)
    return max(1, in_control(evidence, create))


def in_control(evidence: Evidence, create: Request) -> int:
    """How many tasks with this order were made in the quiet run; 0 without one."""
    return 0 if evidence.control is None else evidence.control.made_orders[create.outline]
