"""Chooses the checks of a run, by what they need and cost, and orders them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

import pytest

from contract_tests.budget import PricedCheck, plan_checks
from contract_tests.contract import APIS, Api
from contract_tests.keys import ROLES, variable
from contract_tests.promises import promises
from contract_tests.run import Run

_DEFAULT_RANK = 10


def choose(run: Run, items: list[pytest.Item]) -> None:
    """Keep the checks that apply and fit the budget, in their order. The others are noted in the
    run."""
    chosen: list[pytest.Item] = []
    for item in items:
        reason = _reason_to_skip(run, item)
        if reason is None:
            chosen.append(item)
        elif reason:
            run.not_selected.append((item.name, reason))
    by_name = {item.nodeid: item for item in sorted(chosen, key=_rank)}
    run.plan = plan_checks(
        [_priced(run, name, item) for name, item in by_name.items()],
        run.options.max_credits,
    )
    run.not_selected += [
        (by_name[check.name].name, _reason_of_cost(check))
        for check in run.plan.left_out
        if check.price_credits
    ]
    # The others are asked as far as they are free, at the end: each answer is judged.
    run.partly_asked = {
        check.name: _reason_of_cost(check) for check in run.plan.left_out if not check.price_credits
    }
    names = [*(check.name for check in run.plan.chosen), *run.partly_asked]  # cheapest first
    items[:] = [by_name[name] for name in names]
    if run.options.max_credits is None:
        items.sort(key=_rank)


def api_of(item: pytest.Item) -> Api | None:
    """The API that a check is about, from its parameter, its folder or its promises."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    parameter: Api | None = params.get("api") or getattr(params.get("sample"), "api", None)
    if parameter is not None:
        return parameter
    names = [str(name) for mark in item.iter_markers("holds") for name in mark.args]
    return next(
        (
            api
            for api in APIS
            if api in item.path.parts or all(name.startswith(f"{api}.") for name in names)
        ),
        None,
    )


def _reason_to_skip(run: Run, item: pytest.Item) -> str | None:
    """The reason why a check does not run. None: it runs. "": it was not chosen."""
    api = api_of(item)
    if api is not None and api not in run.options.apis:
        return ""
    if run.options.only and not any(_is_named(item, name) for name in run.options.only):
        return ""
    if run.options.quick and item.get_closest_marker("deep"):
        return "deep, and this run is --quick"
    if run.options.profile == "safe" and item.get_closest_marker("full"):
        return "not safe: --profile full runs it"
    if not hasattr(run, "target"):
        return None
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            if reason := _unmet_need(run, api or run.options.apis[0], need):
                return reason
    return None


def _is_named(item: pytest.Item, name: str) -> bool:
    """Whether this is part of a check's name, or the id of a promise that it holds."""
    return name in item.nodeid or name in promises_of(item)


def _unmet_need(run: Run, api: Api, need: str) -> str | None:
    if need in ROLES:
        reason = f"needs {ROLES[need]}: set {variable(api, need)}"
        return None if run.has_key(api, need) else reason
    if need == "clock":
        return None if run.target.clock.is_controlled else "needs a clock that can be advanced"
    if need == "fake":
        return None if run.target.is_fake else "needs the fake"
    if need == "receiver":
        reachable = run.target.is_fake or run.options.callback_url
        return None if reachable else "needs --callback-url, to receive callbacks"
    if need.startswith("variant "):
        return None if run.owns_fake else "needs the fake with other settings"
    raise ValueError(f"unknown need {need!r}")


def _priced(run: Run, name: str, item: pytest.Item) -> PricedCheck:
    """The price and the risk of a check. Models of another API do not count."""
    api = api_of(item) or run.options.apis[0]
    others = {model["id"] for other in APIS if other != api for model in run.contract.models(other)}
    price_credits = sum(
        run.prices.of(api, mark.args[0]) * _count_of(mark, is_quick=run.options.quick)
        for mark in item.iter_markers("price")
        if mark.args[0] not in others
    )
    risks = [
        run.prices.of(api, mark.args[0]) if mark.args else run.prices.dearest_of_all(api)
        for mark in item.iter_markers("risk")
    ]
    return PricedCheck(name, price_credits, max(risks, default=0))


def _count_of(mark: pytest.Mark, *, is_quick: bool) -> int:
    count: int = mark.kwargs.get("count", 1)
    quick: int = mark.kwargs.get("quick", count)
    return quick if is_quick else count


def _reason_of_cost(check: PricedCheck) -> str:
    if check.risk_credits <= check.price_credits:
        return f"costs {check.price_credits} credits"
    return f"could cost {check.risk_credits} credits, if a request that must be refused is taken"


def _rank(item: pytest.Item) -> int:
    mark = item.get_closest_marker("rank")
    return int(mark.args[0]) if mark else _DEFAULT_RANK


def promises_of(item: pytest.Item) -> list[str]:
    """The ids of a check's promises, its patterns replaced by the ids that match.

    Raises LookupError if none matches.
    """
    api = api_of(item)
    promise_ids: list[str] = []
    for mark in item.iter_markers("holds"):
        for name in mark.args:
            found = _matching(name.replace("{api}", api or "*").replace("[", "[[]"))
            if not found:
                raise LookupError(f"{item.nodeid} holds {name!r}, which is not the id of a promise")
            promise_ids += found
    return promise_ids


@cache
def _matching(pattern: str) -> list[str]:
    return [each for each in promises() if fnmatchcase(each, pattern)]


def checks_of(items: list[pytest.Item]) -> dict[str, list[str]]:
    """The names of the checks of each promise, by its id."""
    checks: dict[str, list[str]] = {promise_id: [] for promise_id in promises()}
    for item in items:
        for promise_id in promises_of(item):
            name = item.nodeid.partition("[")[0]
            if name not in checks[promise_id]:
                checks[promise_id].append(name)
    return checks
