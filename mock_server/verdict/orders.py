"""Equal orders: which tasks were wanted, and which were made and paid for once more."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice, takewhile
from operator import attrgetter
from typing import Any, TypeAlias

from mock_server.verdict.answers import refuses_used_key
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request, has_failed

WithKey: TypeAlias = bool | None
"""Whether a create has an idempotency key; None: either way."""

_NUMBER = attrgetter("number")


def orders_after(evidence: Evidence, create: Request) -> Iterator[Request]:
    """The creates with the same order that can follow from the answer to this one."""
    later = evidence.following(create, evidence.calls[create.call])
    return (each for each in later if each.is_create)


def orders_after_refusal(
    evidence: Evidence, is_refused: Callable[[Request], bool]
) -> Iterator[tuple[Request, list[Request]]]:
    """The first create with each order that was refused so, with the equal ones after it."""
    firsts: dict[object, Request] = {}
    for create in filter(is_refused, evidence.creates):
        firsts.setdefault(create.call, create)
    for refused in firsts.values():
        yield refused, list(orders_after(evidence, refused))


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
        again = paid_once.again(create, partial(is_wrong, create), with_key=keys_of_repeats(create))
        if again or not was_reported:
            yield create, again


def paid_again(
    evidence: Evidence,
    causes: Sequence[Request],
    again: Sequence[Request],
    *,
    fix: tuple[str, str] | None = None,
    **values: Any,
) -> Outcome:
    """The mistake of these further creates; CLEAN if there are none.

    causes: the create whose task was paid for already, and what made the client order again.
    values: for the places of the sentence, besides `first`, `paid`, `second` and `times`."""
    if not again:
        return CLEAN
    first, second = causes[0], again[0]
    return Found(
        {"first": first.id, "paid": first.made, "second": second.id, "times": len(again), **values},
        (*causes, *again),
        second.made,
        sum(evidence.price_of(each.made) for each in again if each.made is not None),
        fix=fix,
    )


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
            if first is not None and first.body == each.body:
                found.setdefault(each.key, each)
    return found


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
        is_meant: Callable[[Request], bool] = lambda _: True,
        *,
        after: Request | None = None,
        is_soon: Callable[[Request], bool] = lambda _: True,
        overlaps: bool = False,
        with_key: WithKey = None,
    ) -> list[Request]:
        """The meant creates with the order of `create` that made a further task while the task of
        `create` was paid for, and whose tasks were not wanted.

        after: they can follow from the answer to this request; None: from that to `create`.
        is_soon: false for all that come after the last one that is asked for.
        overlaps: whether the client need not have known that answer.
        with_key: only those with an idempotency key, or only those without."""
        earlier, call, first = after or create, create.call, create.exchange.task or ""
        if call not in self._left:
            surplus = self._evidence.paid_orders[call] - wanted(self._evidence, create)
            self._left[call] = max(0, surplus)
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
