"""Makes the result of a run as plain data, from which all reports are made."""

from __future__ import annotations

import time
from typing import Any

from contract_tests.conformance import keywords_of
from contract_tests.curl import curl
from contract_tests.keys import variable
from contract_tests.promises import Promise, of_api
from contract_tests.run import Run
from contract_tests.verdicts import Finding

_LONGEST_ANSWER = 1500


def summary(run: Run) -> dict[str, Any]:
    """The result of a run, without credentials."""
    options = run.options
    rows = [_promise_row(run, promise) for promise in of_api(options.apis)]
    planned = {check.name: check.price_credits for check in run.plan.chosen}
    result = {
        "target": "fake" if run.owns_fake else options.base_url,
        "apis": list(options.apis),
        "profile": options.profile,
        "quick": options.quick,
        "seed": options.seed,
        "exit_code": run.exit_code,
        "incomplete": run.incomplete,
        "took_s": round(time.monotonic() - run.began_s, 2),
        "first_finding_s": run.first_finding_s and round(run.first_finding_s, 2),
        "requests": run.transport.sent,
        "max_credits": options.max_credits,
        "planned_credits": run.plan.planned_credits,
        "spent_credits": run.budget.spent_credits,
        "doubtful_credits": run.budget.doubtful_credits,
        "promises": rows,
        "findings": [finding_row(run, found) for found in run.verdicts.broken.values()],
        "refuted": [finding_row(run, found) for found in run.refuted.values()],
        "checks": [
            {
                "check": result.check,
                "outcome": result.outcome,
                "took_s": round(result.took_s, 3),
                "reason": result.reason,
                "planned_credits": planned.get(result.check, 0),
                "cost_credits": result.cost_credits,
            }
            for result in run.results
        ],
        "left_out": [{"check": name, "reason": why} for name, why in run.not_selected],
        "reached": _reached(run),
    }
    return dict(run.redaction.value(result))


def _promise_row(run: Run, promise: Promise) -> dict[str, Any]:
    return {
        "id": promise.id,
        "kind": promise.kind,
        "promise": promise.text,
        "source": promise.source,
        "origin": promise.origin,
        "checked": run.verdicts.checked[promise.id],
        "verdict": _verdict(run, promise.id, is_assumed=promise.is_assumed),
    }


def _verdict(run: Run, promise_id: str, *, is_assumed: bool) -> str:
    if promise_id in run.verdicts.broken:
        return "broken"
    if promise_id in run.refuted:
        return "refuted"
    if not run.verdicts.checked[promise_id]:
        return "not checked"
    return "confirmed" if is_assumed and not run.target.is_fake else "held"


def finding_row(run: Run, finding: Finding) -> dict[str, Any]:
    """One finding as data, with all its requests as curl commands and the likely cause."""
    exchange = finding.exchange
    shown = exchange and run.redaction.exchange(exchange)
    variables = {
        key: variable(api, role)
        for api, keys in run.target.keys.items()
        for role, key in keys.items()
    }
    steps = (*finding.before, exchange) if exchange else ()
    commands = [curl(step, variables) for step in steps]
    row = {
        "id": finding.promise.id,
        "promise": finding.promise.text,
        "source": finding.promise.source,
        "place": finding.promise.place,
        "expected": finding.expected,
        "got": finding.got,
        "status": shown.status if shown else None,
        "answer": shown.body[:_LONGEST_ANSWER].decode(errors="replace") if shown else None,
        "curl": "\n".join(commands) or None,
        "check": finding.check,
        "seed": run.options.seed,
        "blame": blame(run, finding),
    }
    return dict(run.redaction.value(row))


def blame(run: Run, finding: Finding) -> str:
    """The most likely cause of a finding."""
    if run.target.is_fake:
        return "the fake: it does not keep its contract"
    if finding.promise.is_assumed or finding.is_assumed_form:
        return "the contract: this was assumed, and the service behaves differently"
    return f"the service: {finding.promise.source} documents something else (or has changed)"


def _reached(run: Run) -> dict[str, Any]:
    """The numbers of operations, statuses and keywords reached, and those that were not."""
    known: list[tuple[str, int]] = []
    for api in run.options.apis:
        for _, _, operation in run.contract.operations(api):
            known += [(operation["operationId"], int(s)) for s in operation["responses"]]
    reached = run.conformance.reached
    operations = {name for name, _ in known}
    keywords = {word for api in run.options.apis for word in keywords_of(run.contract, api)}
    return {
        "operations": len({name for name, _ in reached} & operations),
        "of_operations": len(operations),
        "statuses": len(reached & set(known)),
        "of_statuses": len(known),
        "keywords": len(run.conformance.keywords & keywords),
        "of_keywords": len(keywords),
        "never": [f"{name} {status}" for name, status in known if (name, status) not in reached],
        "never_keywords": sorted(keywords - run.conformance.keywords),
    }
