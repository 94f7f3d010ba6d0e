"""Computes what a run may spend: the plan of checks, the cost of a request, what is left.

Pure: requests are described by method, path and body; none is sent here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

from contract_tests.contract import APIS, PREFIX, Api, Contract, contract

_FREE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"})
_CREATING_WORDS = ("generation", "video")
_MOST_DECODINGS = 5


class NotSent(Exception):
    """A request was not sent. The message is the reason."""


class OverBudget(NotSent):
    """A request was not sent: it could cost more than is left."""


class NoPriceList(NotSent):
    """A create was not sent: the server's price list could not be read."""


@dataclass(frozen=True)
class PricedCheck:
    """A check, what it costs, and what a request that must be refused costs if it is taken."""

    name: str
    price_credits: int
    risk_credits: int = 0

    @property
    def needed_credits(self) -> int:
        """What must be left when the check starts."""
        return max(self.price_credits, self.risk_credits)


@dataclass(frozen=True)
class Plan:
    """The checks that fit into a budget, and those that do not. spare_credits: None is no limit."""

    chosen: tuple[PricedCheck, ...]
    left_out: tuple[PricedCheck, ...]
    spare_credits: int | None = None

    @property
    def planned_credits(self) -> int:
        """The price of all chosen checks together."""
        return sum(check.price_credits for check in self.chosen)


def plan_checks(checks: Iterable[PricedCheck], max_credits: int | None) -> Plan:
    """Choose the cheapest checks until the budget is used. Ties keep their order.

    max_credits: None chooses all.
    """
    chosen: list[PricedCheck] = []
    left_out: list[PricedCheck] = []
    left = max_credits
    for check in sorted(checks, key=lambda check: check.price_credits):
        if left is None or check.needed_credits <= left:
            chosen.append(check)
            left = None if left is None else left - check.price_credits
        else:
            left_out.append(check)
    return Plan(tuple(chosen), tuple(left_out), left)


@lru_cache(maxsize=4096)
def api_of_create(method: str, path: str) -> Api | None:
    """The API in which some server could take a request for a create; None if none could.

    path: without the base path. Only methods that read or delete, and documented paths of other
    operations, are certain to create nothing. Other spellings of a path count as the path.
    """
    if method.upper() in _FREE_METHODS:
        return None
    plain = _plain(path)
    has_word = any(word in plain for word in _CREATING_WORDS)
    if not has_word and any(pattern.fullmatch(plain) for pattern in _documented_paths()):
        return None
    return "acedata" if plain.startswith(f"{PREFIX['acedata']}/") else "rivya"


@lru_cache(maxsize=1)
def _documented_paths() -> tuple[re.Pattern[str], ...]:
    """The documented paths. Those that create have one of `_CREATING_WORDS`."""
    paths = [path.lower() for api in APIS for path in contract().part(api)["paths"]]
    return tuple(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path), re.DOTALL) for path in paths)


def _plain(path: str) -> str:
    """A path as the most lenient server reads it: decoded, in lower case, without odd slashes."""
    for _ in range(_MOST_DECODINGS):
        path, before = unquote(path), path
        if path == before:
            break
    path = normalize("NFKC", path).casefold().replace("\\", "/")
    steps: list[str] = []
    for step in path.split("/"):
        if step == "..":
            del steps[-1:]
        elif step.strip() not in {"", "."}:
            steps.append(step)
    return "/" + "/".join(steps)


class Prices:
    """The price of each model: from the catalogue first, then from the server's own list."""

    def __init__(self, contract: Contract, apis: Sequence[Api]) -> None:
        self._credits = {
            (api, model["id"]): int(model["price_credits"])
            for api in apis
            for model in contract.callable_models(api)
        }
        self._callable = {api: {name for of, name in self._credits if of == api} for api in APIS}
        # The largest prices ever listed or charged: of models that can be called, and of all.
        self._dearest: dict[Api, tuple[int, int]] = {}
        self._largest = dict(self._credits)
        self._told_more: set[Api] = set()
        for api in APIS:
            own = max((price for (of, _), price in self._credits.items() if of == api), default=1)
            self._dearest[api] = (own, own)

    def of(self, api: Api, model_id: str) -> int:
        """The price of one generation. KeyError for a model that cannot be called."""
        return self._credits[api, model_id]

    def read_list(self, status: int, body: bytes) -> None:
        """Keep the prices of Rivya's list of models. Raises NoPriceList with the reason."""
        if status != 200:
            raise NoPriceList(f"no create was sent: the price list was answered with {status}")
        try:
            listed = _listed(json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            reason = str(error) if isinstance(error, _UnreadableList) else "it is no list of models"
            raise NoPriceList(
                f"no create was sent: the price list cannot be read: {reason}"
            ) from error
        if missing := self._callable["rivya"] - listed.keys():
            names = " and ".join(sorted(missing))
            raise NoPriceList(f"no create was sent: the price list has no price of {names}")
        for name, (price, _) in listed.items():
            if ("rivya", name) in self._credits:
                self._credits["rivya", name] = price
                self._largest["rivya", name] = max(price, self._largest["rivya", name])
        available = {name: price for name, (price, is_available) in listed.items() if is_available}
        self._callable["rivya"] &= available.keys()
        dearest_of_all = max((price for price, _ in listed.values()), default=0)
        self.raise_to("rivya", max(available.values(), default=0), dearest_of_all)

    def raise_to(self, api: Api, callable_credits: int, all_credits: int = 0) -> None:
        """Count a create from now on as no less than this."""
        own, of_all = self._dearest[api]
        own = max(own, callable_credits)
        self._dearest[api] = (own, max(of_all, own, all_credits))

    def dearest_of_all(self, api: Api) -> int:
        """The price of the dearest model, which a body that names none could cost."""
        return self._dearest[api][1]

    def possible_credits(self, api: Api, body: bytes) -> int:
        """What a create costs at most if the server takes it, even where it must refuse.

        The largest price ever listed of the model that the body names, or of the dearest model if
        the server has told more than a price once. The dearest of all models for a body that names
        none that can be called, and for each item of a list.
        """
        document = _parsed(body)
        if isinstance(document, list) and not isinstance(document, _Fields):
            return self._dearest[api][1] * max(1, len(document))
        model = _model_of(document)
        if model not in self._callable[api]:
            return self._dearest[api][1]
        return self._dearest[api][0] if api in self._told_more else self._largest[api, model]

    def note_charge(self, api: Api, told_credits: int, possible_credits: int) -> None:
        """Keep what the server told of a create that was counted as `possible_credits`."""
        if told_credits > possible_credits:
            self._told_more.add(api)
        self.raise_to(api, told_credits)


class _UnreadableList(ValueError):
    """The reason why a price list cannot be read."""


def _listed(document: Any) -> Mapping[str, tuple[int, bool]]:
    """The price of each model in a list, the largest one, and whether it can be called."""
    found: dict[str, tuple[int, bool]] = {}
    for model in document["data"]:
        name, price = model["id"], model.get("base_credits")
        if price is None:
            continue
        if whole_credits(price) is None:
            raise _UnreadableList("a price is no number of credits")
        is_available = model.get("api_status", "available") == "available"
        before, was_available = found.get(name, (0, False))
        found[name] = (max(before, whole_credits(price) or 0), is_available or was_available)
    return found


def whole_credits(value: Any) -> int | None:
    """A number of credits as JSON has it, rounded up; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return math.ceil(value) if value >= 0 else None


class _Fields(list[tuple[str, Any]]):
    """The fields of a JSON object, with those that it has twice."""


def _parsed(body: bytes) -> Any:
    """The value of a JSON text, its objects as _Fields; None if it is no JSON."""
    try:
        return json.loads(body, object_pairs_hook=_Fields)
    except (ValueError, RecursionError):
        return None


def _model_of(document: Any) -> str | None:
    """The model that a create names, if every reader of JSON finds the same one."""
    if not isinstance(document, _Fields):
        return None
    names = [value for name, value in document if name == "model"]
    return names[0] if len(names) == 1 and isinstance(names[0], str) else None


@dataclass
class Budget:
    """The credits of a run: spent, perhaps spent, and reserved for requests under way.

    max_credits: None is no limit.
    spent_credits: the credits that the server charged, by its own answers.
    doubtful_credits: what it may have charged besides: for lost answers, for replays, and for
        creates that it says cost less than they could.
    """

    max_credits: int | None
    spent_credits: int = 0
    doubtful_credits: int = 0
    _reserved: int = 0
    _charged_tasks: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def reserve(self, possible_credits: int) -> None:
        """Reserve what a request may cost. Raises OverBudget if that is more than is left."""
        with self._lock:
            if possible_credits and not self.allows(possible_credits):
                raise OverBudget(
                    f"stopped by the budget: this may cost {possible_credits} credits if it is "
                    f"taken for a create, {max(0, self.left_credits)} are left"
                )
            self._reserved += possible_credits

    def allows(self, possible_credits: int) -> bool:
        """Whether a request that may cost so much can be sent."""
        return self.max_credits is None or possible_credits <= self.left_credits

    @property
    def cost_credits(self) -> int:
        """What was spent, and perhaps spent."""
        return self.spent_credits + self.doubtful_credits

    @property
    def left_credits(self) -> int:
        """What can still be spent; less than 0 if the server charged more than it listed.

        Without a limit it has no meaning.
        """
        limit = self.max_credits or 0
        return limit - self.cost_credits - self._reserved

    def settle_refused(self, possible_credits: int) -> None:
        """Release the reservation of a request that the server refused."""
        with self._lock:
            self._reserved -= possible_credits

    def settle_taken(self, possible_credits: int, told_credits: int, task_id: str) -> None:
        """Count a create that the server took: as much as it could cost, or as it says if more."""
        with self._lock:
            self._reserved -= possible_credits
            spent = 0 if task_id in self._charged_tasks else told_credits
            self._charged_tasks.add(task_id)
            self.spent_credits += spent
            if self.max_credits is not None or not spent:
                self.doubtful_credits += max(0, possible_credits - spent)

    def settle_unknown(self, possible_credits: int) -> None:
        """Release the reservation of a request without a usable answer; count it as doubtful."""
        with self._lock:
            self._reserved -= possible_credits
            self.doubtful_credits += possible_credits
