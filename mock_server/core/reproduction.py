"""Faults that make happen again what went wrong in one task, from its story."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct, convert
from msgspec.structs import replace

from mock_server.core.apis import Operation
from mock_server.core.effects import (
    AnswerFault,
    ConnectionFault,
    DeliveryFault,
    Effect,
    ReceiverAnswer,
    TaskFault,
    When,
    when_of,
)
from mock_server.core.faults import FaultRule, Match
from mock_server.core.history_entries import AttemptEnded, FaultChange, RequestEnded
from mock_server.core.journal import Exchange
from mock_server.core.lifecycle import TaskState
from mock_server.core.story import StoryEntry, story_of
from mock_server.core.tasks import NEVER_MS, Task
from mock_server.core.twins import twins_of
from mock_server.core.world import World

RulesOf = Callable[[str, str | None], Sequence[FaultRule]]
"""The rules that a fault may have had, by its id and its scenario; empty if they are not known."""
Answered = Callable[[str], Exchange | None]
"""A request with its answer, without secrets, by its id; None if it is not kept."""

_ERROR = 400


class Reproduction(Struct, frozen=True):
    """rules: the faults, for a client that sends the same requests to a new world.
    left_out: what no fault repeats, a sentence each."""

    rules: tuple[FaultRule, ...]
    left_out: tuple[str, ...]


class _Request(Struct, frozen=True):
    """A request about the task that has ended. faults: those that changed its answer."""

    id: str
    operation: Operation
    status: int | None
    ended_by: str | None
    faults: tuple[FaultChange, ...]


def reproduction_of(
    world: World, task: Task, rules_of: RulesOf, answered: Answered
) -> Reproduction:
    """The faults that changed the answers about a task, its end and its deliveries. What went
    wrong without a fault becomes one: a refused request, a failed task, errors of a receiver."""
    entries = [*_creates_of_older_twin(world, task), *story_of(world, task).entries]
    maker = _RuleMaker(entries, rules_of, answered)
    requests = _requests(world, task, entries)
    for operation in dict.fromkeys(each.operation for each in requests):
        maker.add_answers([each for each in requests if each.operation == operation])
    maker.add_end(world, task)
    maker.add_deliveries()
    return Reproduction(tuple(maker.rules), tuple(maker.left_out))


def _creates_of_older_twin(world: World, task: Task) -> Iterator[StoryEntry]:
    """What happened to the create of an older task with the same body: often its answer was lost,
    and the client repeated it."""
    for twin in twins_of(world, task):
        if _number_of_create(world, twin.twin) > _number_of_create(world, task.id):
            continue
        for each in story_of(world, world.tasks[twin.twin]).entries:
            is_request = isinstance(each, RequestEnded) and each.request == twin.request
            if is_request or (isinstance(each, FaultChange) and each.request == twin.request):
                yield each


def _number_of_create(world: World, task_id: str) -> int:
    record = world.history.records.get(task_id)
    return 0 if record is None else record.facts.request_number


def _requests(world: World, task: Task, entries: Sequence[StoryEntry]) -> list[_Request]:
    """The requests about a task that have ended, in order; reads as far as the journal has them."""
    found: dict[str, RequestEnded | Exchange] = {
        each.request: each for each in entries if isinstance(each, RequestEnded)
    }
    for exchange in world.journal:
        if exchange.operation == "read" and task.id in (exchange.task, *exchange.tasks):
            found[exchange.id] = exchange
    faults: dict[str | None, list[FaultChange]] = {}
    for each in entries:
        if isinstance(each, FaultChange) and each.concerns == "answer":
            faults.setdefault(each.request, []).append(each)
    return [
        _Request(
            name,
            convert(each.operation, Operation),
            each.status,
            each.ended_by,
            tuple(faults.get(name, ())),
        )
        for name, each in found.items()
        if each.ended_ms is not None and each.operation is not None
    ]


class _RuleMaker:
    """Collects the rules of one story, and what they leave out."""

    def __init__(
        self, entries: Sequence[StoryEntry], rules_of: RulesOf, answered: Answered
    ) -> None:
        self.rules: list[FaultRule] = []
        self.left_out: list[str] = []
        self._entries = entries
        self._rules_of = rules_of
        self._answered = answered

    def add_answers(self, requests: Sequence[_Request]) -> None:
        """Add what went wrong with the requests of one operation, given in order."""
        effects = [self._effects_on(each) for each in requests]
        for wrong in dict.fromkeys(each for found in effects for each in found):
            effect, match = wrong.effect, wrong.match
            places = [place for place, found in enumerate(effects) if wrong in found]
            for skip, times in _runs(places):
                # A rule with conditions of its own chooses its requests itself.
                is_choosy = bool(match.headers or match.answer)
                rule = FaultRule(
                    effect=effect, match=match, skip=0 if is_choosy else skip, times=times
                )
                self.rules.append(rule)

    def _effects_on(self, request: _Request) -> "list[_Wrong]":
        """What went wrong with one request: the effects of its faults, else what its client saw."""
        found = []
        for fault in request.faults:
            rule = self._rule(fault, lambda effect: when_of(effect) is not None, request.operation)
            if rule is not None:
                match = replace(rule.match, api=None, account=None, operation=request.operation)
                found.append(_Wrong(rule.effect, match))
        if len(found) == len(request.faults) > 0:
            return found
        seen = self._effect_seen(request)
        if seen is not None:
            return [_Wrong(seen, Match(operation=request.operation))]
        for fault in request.faults[len(found) :]:
            self._leave_out_fault(fault, f"changed the answer to {request.id}")
        return found

    def _effect_seen(self, request: _Request) -> Effect | None:
        """An effect that gives a client the same answer; None if it was a good one."""
        when: When = "after" if request.operation == "create" else "before"
        if request.ended_by == "reset_by_fault":
            return ConnectionFault(how="reset", when=when)
        if request.ended_by == "caller_left" and request.faults:
            return ConnectionFault(how="hang", when=when)
        if request.ended_by == "caller_left":
            self.left_out.append(f"The client closed the connection of {request.id} itself.")
            return None
        if request.status is None or request.status < _ERROR:
            return None
        exchange = self._answered(request.id)
        if exchange is None:
            return AnswerFault(status=request.status, when=when)
        if len(exchange.answer_body) < exchange.answer_size_bytes:
            self.left_out.append(f"Only the beginning of the answer to {request.id} is known.")
        headers = {name.lower(): value.decode("latin-1") for name, value in exchange.answer_headers}
        return AnswerFault(
            status=request.status,
            body=exchange.answer_body.decode(errors="replace"),
            content_type=headers.get(b"content-type", "application/octet-stream"),
            retry_after=headers.get(b"retry-after"),
            when=when,
        )

    def add_end(self, world: World, task: Task) -> None:
        """Add the fault of the task itself, or one with the same end."""
        (fault,) = self._faults_that_concern("task")[-1:] or (None,)
        planned = task.planned
        if fault is not None:
            rule = self._rule(fault, lambda effect: isinstance(effect, TaskFault), "create")
            effect = rule.effect if rule else _with_times_of(task)
        elif planned.ends_ms != NEVER_MS and not world.ledger.holds(task.id):
            if task.state_at(planned.ends_ms) is not TaskState.FAILED:
                return
            effect = TaskFault(outcome="failed", reason=planned.reason)
        else:
            return
        self._add_to_create(effect)

    def add_deliveries(self) -> None:
        """Add the fault of the deliveries, or one for the receiver's errors."""
        (fault,) = self._faults_that_concern("delivery")[-1:] or (None,)
        if fault is not None:
            rule = self._rule(fault, lambda effect: isinstance(effect, DeliveryFault), "create")
            if rule is not None:
                self._add_to_create(rule.effect)
                return
        attempts = [each for each in self._entries if isinstance(each, AttemptEnded)]
        first = [each for each in attempts if each.delivery == attempts[0].delivery]
        outcome, failed = next(
            ((kind, list(group)) for kind, group in groupby(first, _failure_of)), (None, [])
        )
        if outcome is not None:
            attempts_of = None if len(failed) == len(first) else len(failed)
            self._add_to_create(replace(outcome, attempts=attempts_of))
        elif fault is not None:
            self._leave_out_fault(fault, "changed the deliveries")

    def _add_to_create(self, effect: Effect) -> None:
        self.rules.append(FaultRule(effect=effect, match=Match(operation="create"), times=1))

    def _faults_that_concern(self, what: str) -> list[FaultChange]:
        return [
            each
            for each in self._entries
            if isinstance(each, FaultChange) and (each.what, each.concerns) == ("bitten", what)
        ]

    def _rule(
        self, fault: FaultChange, is_such: Callable[[Effect], bool], operation: Operation
    ) -> FaultRule | None:
        """The rule of a fault; None if it is not known which one it was."""
        rules = [
            each
            for each in self._rules_of(fault.fault, fault.scenario)
            if is_such(each.effect) and each.match.operation in (None, operation)
        ]
        return rules[0] if len(rules) == 1 else None

    def _leave_out_fault(self, fault: FaultChange, did: str) -> None:
        name = f"the scenario '{fault.scenario}'" if fault.scenario else "it"
        self.left_out.append(f"{fault.fault} {did}; {name} is not known any more.")


class _Wrong(Struct, frozen=True):
    """An effect on an answer, and the requests that it is for."""

    effect: Effect
    match: Match

    def __hash__(self) -> int:  # an effect may have lists and objects
        return hash(repr(self))


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first place and the length of each run: 0, 1, 4 are (0, 2) and (4, 1)."""
    for _, group in groupby(enumerate(places), lambda each: each[1] - each[0]):
        run = [place for _, place in group]
        yield run[0], len(run)


def _failure_of(attempt: AttemptEnded) -> DeliveryFault | None:
    """The fault with the same outcome of an attempt; None if it was accepted."""
    if attempt.status is not None:
        is_accepted = 200 <= attempt.status < 300
        answer = ReceiverAnswer(status=attempt.status)
        return None if is_accepted else DeliveryFault(answer=answer)
    if "imeout" in (attempt.error or "") or "no answer" in (attempt.error or ""):
        return DeliveryFault(answer=ReceiverAnswer())
    return DeliveryFault(connection="reset")


def _with_times_of(task: Task) -> TaskFault:
    """A fault that ends a task as this one ends, after the same times."""
    planned = task.planned
    queued_s = (planned.taken_up_ms - task.created_ms) / 1000
    if planned.ends_ms == NEVER_MS:
        return TaskFault(queued_s=queued_s, stuck=True)
    processing_s = (planned.ends_ms - planned.taken_up_ms) / 1000
    if task.state_at(planned.ends_ms) is TaskState.SUCCEEDED:
        return TaskFault(queued_s=queued_s, processing_s=processing_s, outcome="succeeded")
    return TaskFault(
        queued_s=queued_s, processing_s=processing_s, outcome="failed", reason=planned.reason
    )
