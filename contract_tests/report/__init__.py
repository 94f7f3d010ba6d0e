"""Prints the plan and the result of a run, and writes its report files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from contract_tests.conformance import PASSIVE, PASSIVE_RULES
from contract_tests.contract import Api
from contract_tests.drift import recording
from contract_tests.promises import Promise, of_api
from contract_tests.report import files, table
from contract_tests.report.summary import finding_row, summary
from contract_tests.run import Run
from contract_tests.verdicts import Finding

__all__ = ["findings_text", "finish", "list_promises", "print_plan"]


def print_plan(run: Run) -> None:
    """Print the server, the number of checks and the cost to stderr."""
    options, chosen = run.options, run.plan.chosen
    limit = "no limit" if options.max_credits is None else f"at most {options.max_credits}"
    where = "the fake, started for this run" if run.owns_fake else options.base_url
    if run.why_not_the_fake:
        where = f"{where}, not the fake: {run.why_not_the_fake}"
    depth = ", quick" if options.quick else ""
    line = (
        f"hailuo-mock check: {where} ({', '.join(options.apis)}); {len(chosen)} checks, profile "
        f"{options.profile}{depth}, seed {options.seed}; planned {run.plan.planned_credits} "
        f"credits, {limit}; at most {options.max_minutes:g} minutes"
    )
    print(line, file=sys.stderr, flush=True)


def findings_text(run: Run, findings: Iterable[Finding]) -> str:
    """The findings as text."""
    return "\n\n".join(table.finding_text(finding_row(run, found)) for found in findings)


def finish(run: Run, *, as_json: bool) -> None:
    """Print the table or the JSON, and write the report files."""
    result = summary(run)
    if as_json:
        print(run.redaction.json(result, indent=1), flush=True)
    else:
        table.show(result)
    if result["incomplete"]:
        print(f"hailuo-mock check: {table.verdict_of(result)}", file=sys.stderr, flush=True)
    if run.options.report_dir is not None:
        files.write(run, result, run.options.report_dir)
    if run.options.record_dir is not None:
        is_fake = run.target.is_fake
        recording.write(
            run.transport.exchanges, run.redaction, run.options.record_dir, is_fake=is_fake
        )


def list_promises(checks: Mapping[str, list[str]], apis: tuple[Api, ...], *, as_json: bool) -> None:
    """Print every promise with its source and its checks."""
    rows: list[dict[str, Any]] = [
        {
            "id": promise.id,
            "kind": promise.kind,
            "promise": promise.text,
            "source": promise.source,
            "assumes": list(promise.assumes),
            "place": promise.place,
            "checks": _check_names(promise, checks[promise.id]),
        }
        for promise in of_api(apis)
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        table.show_promises(rows)


def _check_names(promise: Promise, checks: list[str]) -> list[str]:
    passive = ["every answer"] if promise.kind in PASSIVE or promise.id in PASSIVE_RULES else []
    return checks + passive
