"""A finished run as plain data; every form of report is made from this and from nothing else."""

from __future__ import annotations

import time
from typing import Any

from contract_tests.conformance import keywords_of
from contract_tests.curl import curl
from contract_tests.exchange import without_secrets
from contract_tests.promises import of_api
from contract_tests.run import Run
from contract_tests.verdicts import Finding

_LONGEST_ANSWER = 1500


def summary(run: Run) -> dict[str, Any]:
    """Everything a report may say; no credential is in it."""
    options = run.options
    rows = [_row(run, promise.id) for promise in of_api(options.apis)]
    return {
        "target": "fake" if run.owns_fake else options.base_url,
        "apis": list(options.apis),
        "profile": options.profile,
        "quick": options.quick,
        "seed": options.seed,
        "exit_code": run.exit_code,
        "took_s": round(time.monotonic() - run.began_s, 2),
        "first_finding_s": run.first_finding_s and round(run.first_finding_s, 2),
        "requests": run.door.sent,
        "max_credits": options.max_credits,
        "planned_credits": run.plan.planned_credits,
        "spent_credits": run.budget.spent_credits,
        "doubtful_credits": run.budget.doubtful_credits,
        "promises": rows,
        "findings": [finding_facts(run, found) for found in run.verdicts.broken.values()],
        "refuted": [finding_facts(run, found) for found in run.refuted.values()],
        "checks": [
            {
                "check": result.check,
                "outcome": result.outcome,
                "took_s": round(result.took_s, 3),
                "reason": result.reason,
            }
            for result in run.results
        ],
        "left_out": [{"check": name, "reason": why} for name, why in run.not_selected],
        "reached": _reached(run),
    }


def _row(run: Run, promise_id: str) -> dict[str, Any]:
    from contract_tests.promises import promises

    promise = promises()[promise_id]
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


def finding_facts(run: Run, finding: Finding) -> dict[str, Any]:
    """One finding as data: what was promised, what came, how to see it, whose fault it is."""
    exchange = finding.exchange
    key = run.options.keys
    own = [keys["own"] for keys in key.values() if "own" in keys]
    shown = exchange and without_secrets(exchange, run.secrets if not run.owns_fake else own)
    command = exchange and curl(exchange, key=next((k for k in own if k == exchange.key), None))
    return {
        "id": finding.promise.id,
        "promise": finding.promise.text,
        "source": finding.promise.source,
        "place": finding.promise.place,
        "expected": finding.expected,
        "got": finding.got,
        "status": shown.status if shown else None,
        "answer": shown.body[:_LONGEST_ANSWER].decode(errors="replace") if shown else None,
        "curl": command,
        "check": finding.check,
        "seed": run.options.seed,
        "blame": blame(run, finding),
    }


def blame(run: Run, finding: Finding) -> str:
    """Where the cause most likely is."""
    if run.target.is_fake:
        return "the fake: it does not keep the contract it was made from"
    if finding.promise.is_assumed or finding.rests_on_ours:
        return "the contract: this was assumed, and the service does otherwise"
    return f"the service: {finding.promise.source} says otherwise (or that page has changed)"


def _reached(run: Run) -> dict[str, Any]:
    """Which operations, statuses and keywords of the contract were reached, and which never."""
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
