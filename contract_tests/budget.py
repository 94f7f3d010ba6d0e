"""What may be spent: every price before its request, and a stop before the one too many.

Pure: it knows requests by method, path and body, and sends none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_tests.contract import PREFIX, Api, Contract

CREATES: dict[str, Api] = {
    f"{PREFIX['rivya']}/generations": "rivya",
    f"{PREFIX['acedata']}/videos": "acedata",
}


class OverBudget(Exception):
    """The request was not sent: it could cost more than is left."""


@dataclass(frozen=True)
class Priced:
    """A check and what it costs if all goes well."""

    name: str
    price_credits: int


@dataclass(frozen=True)
class Plan:
    """What will be run within a budget, and what will not."""

    chosen: tuple[Priced, ...]
    left_out: tuple[Priced, ...]

    @property
    def planned_credits(self) -> int:
        """What the chosen checks cost together."""
        return sum(check.price_credits for check in self.chosen)


def plan(checks: Iterable[Priced], max_credits: int | None) -> Plan:
    """The checks that fit, cheapest first; among equals the order given. None: all of them."""
    chosen: list[Priced] = []
    left_out: list[Priced] = []
    left = max_credits
    for check in sorted(checks, key=lambda check: check.price_credits):
        if left is None or check.price_credits <= left:
            chosen.append(check)
            left = None if left is None else left - check.price_credits
        else:
            left_out.append(check)
    return Plan(tuple(chosen), tuple(left_out))


class Prices:
    """What each model costs, as far as is known: by the catalogue, and by what the server says."""

    def __init__(self, contract: Contract, apis: Sequence[Api]) -> None:
        self._credits = {
            (api, model["id"]): int(model["price_credits"])
            for api in apis
            for model in contract.callable_models(api)
        }
        self._default = {
            api: model["id"]
            for api in apis
            for model in contract.callable_models(api)
            if model.get("is_default")
        }

    def learn(self, api: Api, model_id: str, credits: int) -> None:
        """The server names a price; what it says last counts."""
        if (api, model_id) in self._credits:
            self._credits[api, model_id] = credits

    def of(self, api: Api, model_id: str) -> int:
        """The price of one generation. KeyError for a model that cannot be called."""
        return self._credits[api, model_id]

    def risk_credits(self, method: str, path: str, body: bytes) -> int:
        """What a request costs if the server accepts it, whether it should or not.

        Nothing, if it asks for no generation, or names no model that could make one.
        """
        api = CREATES.get(path)
        if api is None or method != "POST":
            return 0
        return self._credits.get((api, str(self.model_of(api, body))), 0)

    def model_of(self, api: Api, body: bytes) -> str | None:
        """The model a create asks for; None if the body asks for none."""
        try:
            asked: Any = json.loads(body)
        except ValueError:
            return None
        if not isinstance(asked, dict):
            return None
        model = asked.get("model", self._default.get(api))
        return model if isinstance(model, str) else None


@dataclass
class Budget:
    """A purse. max_credits: None is no limit.

    A request is admitted with what it may cost, and settled with what it did cost.
    spent_credits: what the server said it took. doubtful_credits: what it may have taken besides,
    for answers that were lost and for replays, which only an honest server does for nothing.
    """

    max_credits: int | None
    spent_credits: int = 0
    doubtful_credits: int = 0
    _held: int = 0
    _charged: set[str] = field(default_factory=set)

    def admit(self, risk_credits: int) -> None:
        """Hold what a request may cost. Raises OverBudget if that is more than is left."""
        if not self.allows(risk_credits):
            raise OverBudget(f"this may cost {risk_credits} credits, {self.left_credits} are left")
        self._held += risk_credits

    def allows(self, risk_credits: int) -> bool:
        """Whether a request that may cost so much would be admitted."""
        return self.max_credits is None or risk_credits <= self.left_credits

    @property
    def left_credits(self) -> int:
        """What can still be spent; 0 without a limit means nothing."""
        limit = self.max_credits or 0
        return limit - self.spent_credits - self.doubtful_credits - self._held

    def settle(self, risk_credits: int, charged_credits: int, task_id: str | None) -> None:
        """Let go of what was held, and count what the server said it charged for a task."""
        self._held -= risk_credits
        if task_id in self._charged:
            self.doubtful_credits += risk_credits
        elif task_id is not None:
            self._charged.add(task_id)
            self.spent_credits += charged_credits

    def lose(self, risk_credits: int) -> None:
        """Let go of what was held for a request of which nobody knows what became."""
        self._held -= risk_credits
        self.doubtful_credits += risk_credits
