"""Findings and reports for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mock_server.control.judgement_answers import Finding, Inconclusive, JudgedMoment, Judgement
from mock_server.judge.days import Day
from mock_server.judge.report import DayFacts, FoundOnDays, Report, verdict_of

CODES = [
    f"HM{100 * group + number}"
    for group, count in ((1, 11), (2, 10), (3, 10), (4, 6), (5, 14))
    for number in range(1, count + 1)
]
"""Every code, also of rules that are not written yet."""

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def finding(code: str, credits_lost: int = 0, *, moments: int = 3, **changes: Any) -> Finding:
    timeline = tuple(
        JudgedMoment(AT, AT + timedelta(milliseconds=40 * number), f"POST /api/v1/x{number} -> 200")
        for number in range(moments)
    )
    facts = {
        "name": "create-repeated",
        "sentence": f"The create was sent again: the finding of {code}.",
        "fix": ("Keep one key for each job.", "Send it with every repeat."),
        "task": "task_1",
        "requests": ("req_1", "req_2"),
        "timeline": timeline,
        "see": ("CWE-841", "https://rules.example/idempotency"),
    }
    return Finding(code=code, credits_lost=credits_lost, **(facts | changes))


def judgement(
    *findings: Finding,
    notes: tuple[Finding, ...] = (),
    inconclusive: tuple[tuple[str, str], ...] = (),
    judged: tuple[str, ...] = (),
) -> Judgement:
    reasons = tuple(Inconclusive(code, reason) for code, reason in inconclusive)
    return Judgement(findings, notes, reasons, judged)


def day(name: str, *codes: str) -> Day:
    return Day(name=name, shows=f"The day {name}.", codes=codes or ("HM101",))


def on_days(found: Finding, *days: str) -> FoundOnDays:
    (merged,) = verdict_of([(day(name), judgement(found)) for name in days]).findings
    return merged


def report(*findings: FoundOnDays, **changes: Any) -> Report:
    facts: dict[str, Any] = {
        "version": "1.0",
        "api": "rivya",
        "command": ("node", "my-client.mjs"),
        "seed": 1,
        "started_at": AT,
        "took_s": 12.25,
        "days": (DayFacts("quiet", "Nothing goes wrong.", "itself", 0, 1.0),),
        "findings": findings,
        "notes": (),
        "inconclusive": (Inconclusive("HM501", "no event was sent to a receiver"),),
        "clean": ("HM201", "HM202"),
        "exit_code": 1 if findings else 0,
    }
    return Report(**(facts | changes))
