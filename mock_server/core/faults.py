"""Faults: what goes wrong, for which requests, how often. Drawn from the seed, and counted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

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
    value_at,
)
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

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
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


_pattern = lru_cache(re.compile)


class Match(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which requests a fault concerns; a field that is not set matches everything.

    prompt: a regular expression, searched for anywhere in the prompt.
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
                _pattern(self.prompt)
            except re.error as error:
                raise ValueError(f"prompt is no regular expression: {error}") from None

    def may_concern(self, api: str, operation: Operation, account: str) -> bool:
        """Whether it fits any request of this account's for this operation; models and prompts are
        of creates."""
        return (
            self.api in (None, api)
            and self.operation in (None, operation)
            and self.account in (None, account)
            and (
                operation == "create"
                or (
                    not self.model
                    and (self.prompt is None or _pattern(self.prompt).search("") is not None)
                )
            )
        )

    def fits_order(self, model: str, prompt: str) -> bool:
        """Whether the fault concerns an order for this model with this prompt."""
        return (self.model is None or self.model == model) and (
            self.prompt is None or _pattern(self.prompt).search(prompt) is not None
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
        return all(value_at(answer, pointer) == value for pointer, value in self.answer.items())


class FaultRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What goes wrong when; the counts are of matching requests.

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


@dataclass(slots=True)
class Fault:
    """A rule that stands in a world, and what came of it so far.

    scenario: the one it belongs to, if it came with one.
    matched: how many requests it concerned; happened: in how many it went wrong.
    """

    id: str
    rule: FaultRule
    scenario: str | None = None
    matched: int = 0
    happened: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether it will never happen again."""
        return self.rule.times is not None and self.happened >= self.rule.times

    def strikes(self, situation: Situation, chance: Chance) -> bool:
        """Whether it happens now; counts."""
        rule = self.rule
        if self.is_used_up or not rule.match.fits(situation):
            return False
        if isinstance(rule.effect, ErrorFault) and rule.effect.code not in situation.error_codes:
            return False  # an error of the other API
        self.matched += 1
        turn = self.matched - rule.skip
        if turn < 1 or turn % rule.every:
            return False
        if chance.fraction("fault", f"{self.id}/{self.matched}") >= rule.probability:
            return False
        self.happened += 1
        return True


class FaultsState(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is known of some faults; made: how many there were in all."""

    source: str
    made: int
    faults: tuple[Fault, ...]


class Faults:
    """The faults that stand in a world, oldest first. One that is used up stays as a record."""

    def __init__(self, chance: Chance, source: str = "fault") -> None:
        """source: where they come from, the beginning of their ids."""
        self._chance = chance
        self._source = source
        self._faults: dict[str, Fault] = {}
        self._chosen: dict[object, tuple[Fault, ...]] = {}
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

    def add(self, rule: FaultRule, scenario: str | None = None) -> Fault:
        """Have something go wrong from now on."""
        self._made += 1
        fault = Fault(f"{self._source}_{self._made}", rule, scenario)
        self._faults[fault.id] = fault
        self._chosen.clear()
        return fault

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

    def struck(self, situation: Situation, when: When) -> list[Fault]:
        """What goes wrong with an exchange, before or after the state has changed."""
        return [
            fault
            for fault in self._faults.values()
            if moment_of(fault.rule.effect) == when and fault.strikes(situation, self._chance)
        ]


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
