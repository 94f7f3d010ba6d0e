"""What a run says: the first line, the table at the end, and the files for people and machines."""

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
from contract_tests.report.summary import finding_facts, summary
from contract_tests.run import Run
from contract_tests.verdicts import Finding

__all__ = ["announce", "finish", "list_promises", "say", "words"]


def announce(run: Run) -> None:
    """The first line: which host, which checks, what it will cost."""
    options, chosen = run.options, run.plan.chosen
    limit = "no limit" if options.max_credits is None else f"at most {options.max_credits}"
    where = "the fake, started for this" if run.owns_fake else run.target.base_url
    depth = ", quick" if options.quick else ""
    say(
        f"hailuo-mock check: {where} ({', '.join(options.apis)}); {len(chosen)} checks, profile "
        f"{options.profile}{depth}, seed {options.seed}; planned {run.plan.planned_credits} "
        f"credits, {limit}"
    )


def words(run: Run, findings: Iterable[Finding]) -> str:
    """Findings as text: promise, source, expected, got, request, seed, whose fault."""
    return "\n\n".join(table.finding_text(finding_facts(run, found)) for found in findings)


def finish(run: Run, *, as_json: bool) -> None:
    """The table or the JSON, and the report files."""
    told = summary(run)
    if run.options.report_dir is not None:
        files.write(run, told, run.options.report_dir)
    if run.options.record_dir is not None:
        is_fake = run.target.is_fake
        recording.write(run.door.exchanges, run.secrets, run.options.record_dir, is_fake=is_fake)
    if as_json:
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        table.show(told)


def list_promises(checks: Mapping[str, list[str]], apis: tuple[Api, ...], *, as_json: bool) -> None:
    """Every promise with its source and the checks that hold it."""
    rows: list[dict[str, Any]] = [
        {
            "id": row.id,
            "kind": row.kind,
            "promise": row.text,
            "source": row.source,
            "assumes": list(row.assumes),
            "place": row.place,
            "checks": _holders(row, checks[row.id]),
        }
        for row in of_api(apis)
    ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        table.show_promises(rows)


def _holders(row: Promise, checks: list[str]) -> list[str]:
    passive = ["every answer"] if row.kind in PASSIVE or row.id in PASSIVE_RULES else []
    return checks + passive


def say(line: str) -> None:
    """A line for people; stdout is for the result."""
    print(line, file=sys.stderr, flush=True)
