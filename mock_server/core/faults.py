"""Faults: what goes wrong, for which requests, how often. Drawn from the seed, and counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct

from mock_server.core.chance import Chance
from mock_server.core.delivery_faults import DeliveryFault
from mock_server.core.exchange_faults import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    ErrorFault,
    Pointer,
    When,
    is_same_json,
    value_at,
)
from mock_server.core.numbers import Count, Positive
from mock_server.core.patterns import BadPattern, is_found, require_pattern
from mock_server.core.task_faults import TaskFault

Api = Literal["rivya", "acedata"]
Operation = Literal[
    "create",
    "read",
    "upload",
    "read_file",
    "models",
    "credits",
    "webhooks",
    "document",
    "media",
]
"""What is asked for, in words that both APIs share: `create` makes a task, `read` looks at one."""

OPERATIONS_OF: Mapping[Api, Collection[Operation]] = {
    "rivya": get_args(Operation),
    "acedata": ("create", "read", "media"),
}
_OF_TASKS: Collection[Operation | None] = (None, "create", "media")
"""Operations that may know the model and the prompt of a task."""

Share = Annotated[float, Meta(ge=0, le=1)]

Effect = (
    ErrorFault | AnswerFault | ConnectionFault | DelayFault | BodyFault | TaskFault | DeliveryFault
)


class Situation(Struct, frozen=True):
    """What a fault is matched against: one request, or the task it made.

    error_codes: the errors that the API can answer with.
    answer: the document it was answered with; None as long as there is none.
    """

    api: str
    operation: Operation
    account: str = ""
    model: str = ""
    prompt: str = ""
    error_codes: Collection[str] = ()
    answer: Any = None


class Match(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests a fault concerns; a field that is not set matches everything.

    model, prompt: of the task that is made or downloaded; other requests have neither. `prompt` is
        a regular expression, searched for anywhere in the prompt.
    answer: values by JSON Pointer that the answer has; only what goes wrong with an answer can
        ask for them.
    """

    api: Api | None = None
    operation: Operation | None = None
    account: str | None = None
    model: str | None = None
    prompt: str | None = None
    answer: dict[Pointer, Any] = {}

    def __post_init__(self) -> None:
        if self.prompt is not None:
            try:
                require_pattern(self.prompt)
            except BadPattern as bad:
                raise ValueError(f"prompt is no regular expression to use: it {bad}") from None

    def may_concern(self, api: str, operation: Operation, account: str) -> bool:
        """Whether it fits any request of this account's for this operation."""
        return (
            self.api in (None, api)
            and self.operation in (None, operation)
            and self.account in (None, account)
            and (operation in _OF_TASKS or self.fits_order("", ""))
        )

    def fits_order(self, model: str, prompt: str) -> bool:
        """Whether the fault concerns an order for this model with this prompt."""
        return (self.model is None or self.model == model) and (
            self.prompt is None or is_found(self.prompt, prompt)
        )

    def fits(self, situation: Situation) -> bool:
        """Whether the fault concerns it."""
        return (
            (self.api is None or self.api == situation.api)
            and (self.operation is None or self.operation == situation.operation)
            and (self.account is None or self.account == situation.account)
            and self.fits_order(situation.model, situation.prompt)
            and (not self.answer or self._answer_fits(situation.answer))
        )

    def _answer_fits(self, answer: Any) -> bool:
        return all(
            is_same_json(value_at(answer, pointer), value) for pointer, value in self.answer.items()
        )


class FaultRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong when; the counts are of matching requests, for each account.

    A rule that can never happen is refused with ValueError.

    skip: the first so many go right.
    times: how often it happens at most; None: always.
    every: only each so many-th.
    probability: how likely it is each time, drawn from the seed.
    """

    effect: Effect
    match: Match = Match()
    skip: Count = 0
    times: Positive | None = None
    every: Positive = 1
    probability: Share = 1.0

    def __post_init__(self) -> None:
        reason = _why_never(self.match, self.effect)
        if reason is not None:
            raise ValueError(f"this can never happen: {reason}")


def _why_never(match: Match, effect: Effect) -> str | None:
    """Why no request, task or delivery is both what `match` asks for and open to this effect; None
    if one may be."""
    operation, moment = match.operation, moment_of(effect)
    if match.api is not None and operation not in (None, *(known := OPERATIONS_OF[match.api])):
        return f"{match.api} has no operation {operation}; it has {', '.join(known)}"
    if operation == "media" and isinstance(effect, ErrorFault):
        return "a download has none of the vendor's errors; use an effect of type answer"
    if operation not in _OF_TASKS and not match.fits_order("", ""):
        return f"only create and media know a model and a prompt, {operation} does not"
    if moment is None and operation not in (None, "create"):
        return f"tasks and their deliveries go wrong for the operation create, not {operation}"
    if match.answer and moment is None:
        return "a task and its deliveries have no answer to match"
    if match.answer and moment == "before":
        return "there is no answer to match before the request is carried out; use when = after"
    if match.api == "acedata" and isinstance(effect, DeliveryFault):
        if effect.signed_s:
            return "acedata's signatures have no time; signed_s is for rivya"
        if effect.deleted_endpoint:
            return "acedata has no webhook endpoints; deleted_endpoint is for rivya"
    return None


class Counts(Struct, forbid_unknown_fields=True):
    """How many requests of one account a fault concerned, and in how many it went wrong."""

    matched: Count = 0
    happened: Count = 0


@dataclass(slots=True)
class Fault:
    """A rule that stands in a world, and what came of it so far.

    scenario: the one it belongs to, if it came with one.
    channel: how it was asked for together with others; empty if all of them came in one way.
    matched: how many requests it concerned; happened: in how many it went wrong.
    by_account: the same for each account, that of requests without a known key under "".
    """

    id: str
    rule: FaultRule
    scenario: str | None = None
    channel: str = ""
    matched: Count = 0
    happened: Count = 0
    by_account: dict[str, Counts] = field(default_factory=dict)

    def is_used_up(self, account: str) -> bool:
        """Whether it will never happen to this account again."""
        times, counts = self.rule.times, self.by_account.get(account)
        return times is not None and counts is not None and counts.happened >= times

    def strikes(self, situation: Situation, chance: Chance) -> bool:
        """Whether it happens now; counts."""
        rule, account = self.rule, situation.account
        if self.is_used_up(account) or not rule.match.fits(situation):
            return False
        if isinstance(rule.effect, ErrorFault) and rule.effect.code not in situation.error_codes:
            return False  # an error of the other API
        counts = self.by_account.setdefault(account, Counts())
        counts.matched += 1
        self.matched += 1
        turn = counts.matched - rule.skip
        if turn < 1 or turn % rule.every:
            return False
        if chance.fraction("fault", self.turn_of(account)) >= rule.probability:
            return False
        counts.happened += 1
        self.happened += 1
        return True

    def turn_of(self, account: str) -> str:
        """What chance is drawn for: no account's draws depend on the requests of another."""
        return f"{self.id}/{account}/{self.by_account[account].matched}"


class FaultsState(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is known of some faults; made: how many there were in all."""

    source: str
    made: Count
    faults: tuple[Fault, ...]


class Faults:
    """The faults that stand in a world, oldest first. One that is used up stays as a record."""

    def __init__(self, chance: Chance, source: str = "fault") -> None:
        """source: where they come from, the beginning of their ids."""
        self._chance = chance
        self._source = source
        self._faults: dict[str, Fault] = {}
        self._chosen: dict[object, tuple[Fault, ...]] = {}
        self._counted_by: dict[str, Fault] = {}
        self._made = 0

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def __len__(self) -> int:
        return len(self._faults)

    def state(self) -> FaultsState:
        """All that is known; the counts in it go on changing."""
        return FaultsState(self._source, self._made, tuple(self._faults.values()))

    def restore(self, state: FaultsState) -> None:
        """Know this, and nothing else."""
        self._source, self._made = state.source, state.made
        self._faults = {fault.id: fault for fault in state.faults}
        self._chosen.clear()

    def add(
        self,
        rule: FaultRule,
        scenario: str | None = None,
        channel: str = "",
        counted_by: Fault | None = None,
    ) -> Fault:
        """Have something go wrong from now on.

        counted_by: the fault of an account that says in `settle` whether this one happens.
        """
        self._made += 1
        fault = Fault(f"{self._source}_{self._made}", rule, scenario, channel)
        self._faults[fault.id] = fault
        if counted_by is not None:
            self._counted_by[fault.id] = counted_by
        self._chosen.clear()
        return fault

    def settle(self, situation: Situation) -> None:
        """Decide about those that are counted by others: of each kind the first that happens now
        always does from now on, and the rest are gone."""
        decided: set[type[Effect]] = set()
        for fault_id, counted_by in self._counted_by.items():
            rule, kind = counted_by.rule, type(counted_by.rule.effect)
            if kind not in decided and counted_by.strikes(situation, self._chance):
                decided.add(kind)
                self._faults[fault_id].rule = FaultRule(effect=rule.effect, match=rule.match)
            else:
                del self._faults[fault_id]
        self._counted_by.clear()
        self._chosen.clear()

    def get(self, fault_id: str) -> Fault | None:
        """The fault, if it still stands."""
        return self._faults.get(fault_id)

    def remove(self, fault_id: str) -> None:
        """Have it go wrong no more. KeyError if there is none of that id."""
        del self._faults[fault_id]
        self._chosen.clear()

    def clear(self) -> None:
        """Have everything go right again."""
        self._faults.clear()
        self._chosen.clear()

    def of_kind(self, kind: type[Effect]) -> tuple[Fault, ...]:
        """Those whose effect is of this kind."""
        chosen = self._chosen.get(kind)
        if chosen is None:
            chosen = tuple(
                fault for fault in self._faults.values() if isinstance(fault.rule.effect, kind)
            )
            self._chosen[kind] = chosen
        return chosen

    def of_exchanges(self, api: str, operation: Operation, account: str) -> tuple[Fault, ...]:
        """Those that could happen to a request of this account's, whatever it asks for."""
        chosen = self._chosen.get((api, operation, account))
        if chosen is None:
            chosen = tuple(
                fault
                for fault in self._faults.values()
                if moment_of(fault.rule.effect) is not None
                and fault.rule.match.may_concern(api, operation, account)
            )
            self._chosen[api, operation, account] = chosen
        return chosen

    def strike(self, situation: Situation, kind: type[Effect]) -> Fault | None:
        """The first fault of this kind that happens in this situation."""
        return next(
            (each for each in self.of_kind(kind) if each.strikes(situation, self._chance)), None
        )

    def struck(
        self, situation: Situation, when: When, *, of_answer: bool | None = None
    ) -> list[Fault]:
        """What goes wrong with an exchange, before or after the state has changed: all that came
        through the first channel through which anything does.

        of_answer: only what needs the finished answer, or only what does not; None: all of it.
        """
        candidates = [
            each
            for each in self
            if moment_of(each.rule.effect) == when and of_answer in (None, needs_answer(each.rule))
        ]
        for channel in dict.fromkeys(each.channel for each in candidates):
            of_channel = [each for each in candidates if each.channel == channel]
            if struck := [each for each in of_channel if each.strikes(situation, self._chance)]:
                return struck
        return []


def pointer_steps(rule: FaultRule) -> int:
    """How many steps the JSON Pointers of a rule have together: each takes time to follow."""
    pointers = list(rule.match.answer)
    if isinstance(body := rule.effect, BodyFault):
        pointers += [*body.drop, *body.rename, *body.set, *body.null]
    return sum(pointer.count("/") for pointer in pointers)


def needs_answer(rule: FaultRule) -> bool:
    """Whether it can only happen once there is an answer: that is what it changes, breaks off in
    the middle of, or is matched against."""
    match rule.effect:
        case BodyFault() | ConnectionFault(after_bytes=int()):
            return True
    return bool(rule.match.answer)


def moment_of(effect: Effect) -> When | None:
    """When in an exchange it happens; None if it happens to the task or its deliveries."""
    match effect:
        case BodyFault():
            return "after"
        case ConnectionFault(after_bytes=int()):
            return "after"
        case ErrorFault() | AnswerFault() | ConnectionFault() | DelayFault():
            return effect.when
    return None
