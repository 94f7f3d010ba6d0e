"""Writes a report as JUnit XML: a test case for each rule, as CI systems show them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from mock_server.core.printable import printable
from mock_server.judge.console import moments
from mock_server.judge.report import FoundOnDays, Report
from mock_server.verdict.catalogue import RuleInfo


def as_junit(report: Report, rules: Sequence[RuleInfo]) -> bytes:
    """The XML. A finding is a failure; what is accepted or inconclusive is skipped."""
    found = {each.code: each for each in report.findings}
    accepted = {
        each.code: f"accepted until {each.expires}: {each.reason}" for each in report.accepted
    }
    reasons = accepted | {each.code: each.reason for each in report.inconclusive}
    notes = {each.code: each for each in report.notes}
    decided = {*found, *reasons, *notes, *report.clean}
    cases = [rule for rule in rules if rule.code in decided]
    suite = Element(
        "testsuite",
        name=f"hailuo-mock judge {report.api}",
        tests=str(len(cases) + len(report.problems)),
        failures=str(len(found) + len(report.problems)),
        errors="0",
        skipped=str(sum(rule.code in reasons and rule.code not in found for rule in cases)),
        time=f"{report.took_s:.3f}",
        timestamp=report.started_at.isoformat(timespec="seconds"),
    )
    for rule in cases:
        group = f"judge.{report.api}.{rule.group.replace(' ', '_')}"
        case = SubElement(
            suite, "testcase", classname=group, name=f"{rule.code} {rule.name}", time="0"
        )
        if rule.code in found:
            failure = SubElement(case, "failure", type=rule.code)
            failure.set("message", printable(found[rule.code].sentence))
            failure.text = _told(found[rule.code])
        elif rule.code in reasons:
            SubElement(case, "skipped", message=printable(reasons[rule.code]))
        elif rule.code in notes:
            SubElement(case, "system-out").text = _told(notes[rule.code])
    for problem in report.problems:
        case = SubElement(
            suite, "testcase", classname=f"judge.{report.api}", name="problem", time="0"
        )
        SubElement(case, "failure", type="problem", message=printable(problem))
    root = Element("testsuites")
    root.append(suite)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _told(found: FoundOnDays) -> str:
    timeline = [f"{at:>11}  {printable(what)}" for at, what in moments(found.timeline)]
    lost = [f"credits lost: {found.credits_lost}"] if found.credits_lost else []
    fix, days = list(map(printable, found.fix)), ", ".join(found.days)
    return "\n".join([printable(found.sentence), *lost, *timeline, *fix, f"days: {days}"])
