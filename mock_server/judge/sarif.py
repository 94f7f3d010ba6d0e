"""Writes a report as SARIF 2.1.0, which code hosts show beside the code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import msgspec

from mock_server.judge.report import FoundOnDays, Report
from mock_server.verdict.catalogue import RuleInfo

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(report: Report, rules: Sequence[RuleInfo]) -> bytes:
    """The document. A finding is an error, a note is a warning, what is accepted is suppressed."""
    place = _place_of(report.command)
    accepted = {each.code: each.reason for each in report.accepted}
    index = {rule.code: number for number, rule in enumerate(rules)}
    results = [
        _result(found, level, index[found.code], place)
        for level, group in (("error", report.findings), ("warning", report.notes))
        for found in group
    ]
    results += [
        {
            "ruleId": code,
            "ruleIndex": index[code],
            "level": "error",
            "message": {"text": rules[index[code]].proves},
            "locations": [place],
            "suppressions": [{"kind": "external", "justification": reason}],
        }
        for code, reason in accepted.items()
    ]
    run = {
        "tool": {
            "driver": {
                "name": "hailuo-mock judge",
                "semanticVersion": report.version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": report.exit_code,
                "startTimeUtc": report.started_at,
                "toolExecutionNotifications": [
                    {"level": "error", "message": {"text": problem}} for problem in report.problems
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _rule(rule: RuleInfo) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.proves},
        "help": {"text": "\n".join([*rule.fix, *(f"See {each}" for each in rule.see)])},
        "properties": {"tags": ["hailuo-mock", rule.group]},
    }


def _result(found: FoundOnDays, level: str, index: int, place: dict[str, Any]) -> dict[str, Any]:
    days = ", ".join(found.days)
    return {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": level,
        "message": {"text": f"{found.sentence}\n" + "\n".join(found.fix) + f"\nDays: {days}"},
        "locations": [place],
        "partialFingerprints": {"rule/v1": found.code},
        "properties": {"creditsLost": found.credits_lost, "days": found.days},
    }


def _place_of(command: Sequence[str]) -> dict[str, Any]:
    """The place of a finding: the first file in the command, below the current folder. Code hosts
    show no result without a place; a server sees requests, and not the lines they come from."""
    files = (word for word in command if not PurePath(word).is_absolute() and Path(word).is_file())
    uri = quote(PurePath(next(files, ".")).as_posix())
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}}
