"""Faults: what goes wrong, for which requests, and how often."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from mock_server.core.apis import ApiName, Apis, Operation
from mock_server.core.chance import Chance
from mock_server.core.effects import (
    BodyFault,
    ConnectionFault,
    DeliveryFault,
    Effect,
    ErrorFault,
    When,
    when_of,
)
from mock_server.core.field_edits import FieldEdits
from mock_server.core.field_types import Count, Positive
from mock_server.core.header_match import (
    WantedHeaders,
    pattern_count,
    require_usable,
    unmatched,
)
from mock_server.core.journal import Headers
from mock_server.core.json_values import Pointer, is_same_json, value_at
from mock_server.core.patterns import BadPattern, is_found, require_pattern
from mock_server.core.records import Records

_TASK_OPERATIONS: Collection[Operation | None] = (None, "create", "media")
"""Operations that may have a task with a model and a prompt."""

Share = Annotated[float, Meta(ge=0, le=1)]


class FaultTarget(Struct, frozen=True):
    """A request, or the task it made, that faults are matched against.

    error_codes: the errors that the API can answer with.
    headers: of the request; a task has none.
    answer: the document of the answer; None before there is one.
    """

    api: str
    operation: Operation
    account: str = ""
    model: str = ""
    prompt: str = ""
    error_codes: Collection[str] = ()
    headers: Headers = ()
    answer: Any = None


class Match(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The requests that a fault applies to; a field that is not set matches everything.

    model, prompt: of the task that is made or downloaded; other requests have neither. `prompt` is
        a regular expression, searched for anywhere in the prompt.
    headers: of the request; not for effects on a task or its deliveries.
    answer: values that the answer has, by JSON Pointer; only for effects on an answer.
    """

    api: ApiName | None = None
    operation: Operation | None = None
    account: str | None = None
    model: str | None = None
    prompt: str | None = None
    headers: WantedHeaders = {}
    answer: dict[Pointer, Any] = {}

    def __post_init__(self) -> None:
        require_usable(self.headers)
        if self.prompt is not None:
            try:
                require_pattern(self.prompt)
            except BadPattern as bad:
                raise ValueError(f"prompt is no regular expression to use: it {bad}") from None

    def could_match(self, api: str, operation: Operation, account: str) -> bool:
        """Whether it could match a request of this account for this operation."""
        return (
            self.api in (None, api)
            and self.operation in (None, operation)
            and self.account in (None, account)
            and (operation in _TASK_OPERATIONS or self.matches_order("", ""))
        )

    def matches_order(self, model: str, prompt: str) -> bool:
        """Whether it matches this model and this prompt."""
        return (self.model is None or self.model == model) and (
            self.prompt is None or is_found(self.prompt, prompt)
        )

    def matches(self, target: FaultTarget) -> bool:
        """Whether it matches this target."""
        return (
            (self.api is None or self.api == target.api)
            and (self.operation is None or self.operation == target.operation)
            and (self.account is None or self.account == target.account)
            and self.matches_order(target.model, target.prompt)
            and not (self.headers and any(unmatched(self.headers, target.headers)))
            and all(
                is_same_json(value_at(target.answer, pointer), value)
                for pointer, value in self.answer.items()
            )
        )


class FaultTerms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields that a fault and a scenario asked for have in common; FaultRule explains them."""

    match: Match = Match()
    skip: Count = 0
    times: Positive | None = None
    every: Positive = 1
    probability: Share = 1.0


class FaultRule(FaultTerms, frozen=True, kw_only=True):
    """An effect, the requests it applies to, and how often. Requests are counted per account.

    Raises ValueError for a rule that can never happen.

    skip: the number of matching requests before the first effect.
    times: the maximum number of effects; None: no maximum.
    every: 3: on every third matching request.
    probability: of the effect, each time; decided from the seed.
    """

    effect: Effect

    def __post_init__(self) -> None:
        reason = _why_never(self.match, self.effect)
        if reason is not None:
            raise ValueError(f"this can never happen: {reason}")


def _why_never(match: Match, effect: Effect) -> str | None:
    """Why no request that matches can have the effect; None if one can."""
    operation, when = match.operation, when_of(effect)
    if operation == "media" and isinstance(effect, ErrorFault):
        return "a download has none of the vendor's errors; use an effect of type answer"
    if operation not in _TASK_OPERATIONS and not match.matches_order("", ""):
        return f"only create and media know a model and a prompt, {operation} does not"
    if when is None and operation not in (None, "create"):
        return f"tasks and their deliveries go wrong for the operation create, not {operation}"
    if match.headers and when is None:
        return "a task and its deliveries have no headers of a request to match"
    if match.answer and when is None:
        return "a task and its deliveries have no answer to match"
    if match.answer and when == "before":
        return "there is no answer to match before the request is carried out; use when = after"
    return None


def require_possible(rule: FaultRule, apis: Apis) -> FaultRule:
    """The same rule. Raises ValueError if it can never happen at the API that it names."""
    reason = _why_never_at(rule.match, rule.effect, apis)
    if reason is not None:
        raise ValueError(f"this can never happen: {reason}")
    return rule


def _why_never_at(match: Match, effect: Effect, apis: Apis) -> str | None:
    """As `_why_never`, for effects and operations that only some APIs have."""
    api = apis.get(match.api or "")
    if api is None:
        return None
    if match.operation not in (None, *api.operations):
        known = ", ".join(api.operations)
        return f"{api.name} has no operation {match.operation}; it has {known}"
    if isinstance(effect, DeliveryFault):
        if effect.signed_s and not api.signs_time:
            able = " and ".join(each.name for each in apis.values() if each.signs_time)
            return f"{api.name}'s signatures have no time; signed_s is for {able}"
        if effect.deleted_endpoint and not api.has_endpoints:
            able = " and ".join(each.name for each in apis.values() if each.has_endpoints)
            return f"{api.name} has no webhook endpoints; deleted_endpoint is for {able}"
        if effect.event_type is not None and not api.names_events:
            able = " and ".join(each.name for each in apis.values() if each.names_events)
            return f"{api.name}'s callbacks have no type; event_type is for {able}"
    return None


class Counts(Struct, forbid_unknown_fields=True):
    """For one account: the number of requests that matched, and of those that had the effect."""

    matched: Count = 0
    happened: Count = 0


class Fault(Struct):
    """A rule in a world, with its counts.

    scenario: the name of the scenario it comes from, if any.
    channel: the way in which it was requested; empty if there is only one way.
    matched: the number of requests that matched. happened: of those that had the effect.
    by_account: the same per account; "" stands for requests without a known key.
    """

    id: str
    rule: FaultRule
    scenario: str | None = None
    channel: str = ""
    matched: Count = 0
    happened: Count = 0
    by_account: dict[str, Counts] = field(default_factory=dict)

    def is_used_up(self, account: str) -> bool:
        """Whether it has happened `times` times to this account."""
        times, counts = self.rule.times, self.by_account.get(account)
        return times is not None and counts is not None and counts.happened >= times

    def matches_now(self, target: FaultTarget, chance: Chance) -> bool:
        """Whether it happens to this target now; a match is counted."""
        rule, account = self.rule, target.account
        if self.is_used_up(account) or not rule.match.matches(target):
            return False
        if isinstance(rule.effect, ErrorFault) and rule.effect.code not in target.error_codes:
            return False  # an error of another API
        counts = self.by_account.setdefault(account, Counts())
        counts.matched += 1
        self.matched += 1
        turn = counts.matched - rule.skip
        if turn < 1 or turn % rule.every:
            return False
        if chance.fraction("fault", self.random_subject(account)) >= rule.probability:
            return False
        counts.happened += 1
        self.happened += 1
        return True

    def random_subject(self, account: str) -> str:
        """The subject of its random values: those of an account do not depend on other accounts."""
        return f"{self.id}/{account}/{self.by_account[account].matched}"


class FaultsState(Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a group of faults; made: the number of all, removed ones included."""

    source: str
    made: Count
    faults: tuple[Fault, ...]


def _ignore() -> None:
    pass


class Faults(Records[Fault]):
    """A group of faults, oldest first. A fault that is used up stays as a record.

    on_change: called when a fault is added, removed or counted.
    is_empty: whether there are none; faster than `len`, and looked up several times a request.
    """

    def __init__(self, chance: Chance, source: str = "fault") -> None:
        """source: the beginning of their ids."""
        super().__init__()
        self.on_change: Callable[[], None] = _ignore
        self._chance = chance
        self._source = source
        self._chosen: dict[object, tuple[Fault, ...]] = {}
        self.is_empty = True
        self._counted_by: dict[str, tuple[Faults, Fault]] = {}
        self._made = 0

    def state(self) -> FaultsState:
        """The whole state; it shares the faults."""
        return FaultsState(self._source, self._made, tuple(self))

    def restore(self, state: FaultsState) -> None:
        """Replace the whole state."""
        self._source, self._made = state.source, state.made
        self._records = {fault.id: fault for fault in state.faults}
        self._forget_chosen()

    def add(
        self,
        rule: FaultRule,
        scenario: str | None = None,
        channel: str = "",
        counted_by: tuple["Faults", Fault] | None = None,
    ) -> Fault:
        """Add a fault.

        counted_by: another fault, in its group; `decide_by_counts` uses its counts to decide
        about this one.
        """
        self.on_change()
        self._made += 1
        fault = Fault(f"{self._source}_{self._made}", rule, scenario, channel)
        self._records[fault.id] = fault
        if counted_by is not None:
            self._counted_by[fault.id] = counted_by
        self._forget_chosen()
        return fault

    def decide_by_counts(self, target: FaultTarget) -> None:
        """Match the faults that were added with `counted_by`. The first match of each kind of
        effect stays and always happens from now on; the others are removed."""
        decided: set[type[Effect]] = set()
        for fault_id, (group, counted_by) in self._counted_by.items():
            rule, kind = counted_by.rule, type(counted_by.rule.effect)
            if kind not in decided and group.matches_now(counted_by, target):
                decided.add(kind)
                self._records[fault_id].rule = FaultRule(effect=rule.effect, match=rule.match)
            else:
                del self._records[fault_id]
        self._counted_by.clear()
        self._forget_chosen()

    def remove(self, fault_id: str) -> None:
        """Remove a fault. Raises KeyError if there is none with this id."""
        del self._records[fault_id]
        self._forget_chosen()
        self.on_change()

    def clear(self) -> None:
        """Remove all faults."""
        self._records.clear()
        self._forget_chosen()
        self.on_change()

    def _forget_chosen(self) -> None:
        """Choose the faults again: there are others now."""
        self._chosen.clear()
        self.is_empty = not self._records

    def matches_now(self, fault: Fault, target: FaultTarget) -> bool:
        """Whether this fault of the group happens to this target now; a match is counted."""
        matched_before = fault.matched
        happens = fault.matches_now(target, self._chance)
        if fault.matched != matched_before:
            self.on_change()
        return happens

    def of_kind(self, kind: type[Effect]) -> tuple[Fault, ...]:
        """The faults with this kind of effect."""
        chosen = self._chosen.get(kind)
        if chosen is None:
            chosen = tuple(fault for fault in self if isinstance(fault.rule.effect, kind))
            self._chosen[kind] = chosen
        return chosen

    def of_requests(self, api: str, operation: Operation, account: str) -> tuple[Fault, ...]:
        """The faults that could happen to a request of this account for this operation."""
        chosen = self._chosen.get((api, operation, account))
        if chosen is None:
            chosen = tuple(
                fault
                for fault in self
                if when_of(fault.rule.effect) is not None
                and fault.rule.match.could_match(api, operation, account)
            )
            self._chosen[api, operation, account] = chosen
        return chosen

    def match_first(self, target: FaultTarget, kind: type[Effect]) -> Fault | None:
        """The first fault with this kind of effect that happens to the target now."""
        return next((each for each in self.of_kind(kind) if self.matches_now(each, target)), None)

    def matches(
        self, target: FaultTarget, when: When, *, of_answer: bool | None = None
    ) -> list[Fault]:
        """The faults that happen to a request now, all of the first channel that has any.

        when: before or after the state has changed. of_answer: only those that need the finished
        answer (True), only those that do not (False), or both (None).
        """
        candidates = [
            each
            for each in self
            if when_of(each.rule.effect) == when and of_answer in (None, needs_answer(each.rule))
        ]
        for channel in dict.fromkeys(each.channel for each in candidates):
            of_channel = [each for each in candidates if each.channel == channel]
            if matches := [each for each in of_channel if self.matches_now(each, target)]:
                return matches
        return []


def patterns(rule: FaultRule) -> int:
    """The number of regular expressions in a rule."""
    return (rule.match.prompt is not None) + pattern_count(rule.match.headers)


def pointer_steps(rule: FaultRule) -> int:
    """The number of steps in all JSON Pointers of a rule, because each step takes time."""
    pointers = list(rule.match.answer)
    if isinstance(rule.effect, FieldEdits):
        pointers += rule.effect.edited_fields
    return sum(pointer.count("/") for pointer in pointers)


def needs_answer(rule: FaultRule) -> bool:
    """Whether it needs the finished answer: to change it, to cut it, or to match it."""
    match rule.effect:
        case BodyFault() | ConnectionFault(after_bytes=int()):
            return True
    return bool(rule.match.answer)
