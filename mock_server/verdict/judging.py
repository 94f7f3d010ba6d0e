"""Applies the rules to the evidence of a world."""

from collections.abc import Collection, Sequence

import msgspec

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import Finding, Found, Inconclusive, Judgement, Outcome, Unclear
from mock_server.verdict.rule import Rule
from mock_server.verdict.timeline import timeline_of

MOST_FOUND = 20
"""The maximum number of findings of one rule."""


def judge(evidence: Evidence, rules: Sequence[Rule]) -> Judgement:
    """The judgement of these rules. The evidence is not changed: the result for the same evidence
    is always the same."""
    outcomes = {rule.code: _outcomes(rule, evidence) for rule in rules}
    proved = {
        rule.code
        for rule in rules
        for each in outcomes[rule.code]
        if isinstance(each, Found) and not _is_note(rule, each, evidence)
    }
    findings: list[Finding] = []
    notes: list[Finding] = []
    inconclusive: list[Inconclusive] = []
    judged: list[str] = []
    for rule in rules:
        found = [each for each in outcomes[rule.code] if isinstance(each, Found)][:MOST_FOUND]
        unclear = [each.reason for each in outcomes[rule.code] if isinstance(each, Unclear)]
        other = next((code for code in rule.explained_by if code in proved), None)
        if found and other is not None:
            found, unclear = [], [f"{other} says the same already"]
        for each in found:
            goal = notes if _is_note(rule, each, evidence) else findings
            goal.append(_finding(rule, each, evidence))
        if unclear and not found:
            inconclusive.append(Inconclusive(rule.code, unclear[0]))
        elif not found:
            judged.append(rule.code)
    return Judgement(
        _worst_first(findings), _worst_first(notes), tuple(inconclusive), tuple(judged)
    )


def judge_so_far(evidence: Evidence, rules: Sequence[Rule]) -> Judgement:
    """The judgement of those of the rules whose findings stand, of a client that goes on."""
    return judge(evidence, [rule for rule in rules if rule.stands])


def with_standing(judgement: Judgement, standing: Collection[Finding]) -> Judgement:
    """The judgement with the findings that were proved earlier, when all was kept, by rules that
    it could not judge because something is no longer kept."""
    unclear = {each.code for each in judgement.inconclusive}
    proved = [each for each in standing if each.code in unclear]
    codes = {each.code for each in proved}
    return msgspec.structs.replace(
        judgement,
        findings=_worst_first([*judgement.findings, *proved]),
        inconclusive=tuple(each for each in judgement.inconclusive if each.code not in codes),
    )


def _outcomes(rule: Rule, evidence: Evidence) -> Sequence[Outcome]:
    """What the rule finds out; at least one outcome."""
    missing = _missing(rule, evidence)
    if missing is not None:
        return [Unclear(missing)]
    return list(rule.find(evidence)) or [Unclear(f"it never came up that {rule.case}")]


def _missing(rule: Rule, evidence: Evidence) -> str | None:
    """Why the rule cannot judge this evidence at all; None if it can."""
    lost = evidence.not_kept
    if lost:
        return f"{lost} requests, deliveries or movements of credits are no longer kept"
    missing = next((need for need in rule.needs if not need.is_met_by(evidence)), None)
    return None if missing is None else f"not known: {missing.sentence}"


def _is_note(rule: Rule, found: Found, evidence: Evidence) -> bool:
    return (
        rule.is_note
        or found.is_note
        or not all(need.is_met_by(evidence) for need in rule.note_without)
    )


def _finding(rule: Rule, found: Found, evidence: Evidence) -> Finding:
    values = found.values | {"task": found.task, "credits": found.credits_lost}
    return Finding(
        code=rule.code,
        name=rule.name,
        sentence=(found.sentence or rule.sentence).format_map(values),
        fix=found.fix or rule.fix,
        credits_lost=found.credits_lost,
        task=found.task,
        requests=tuple(each.id for each in found.requests),
        timeline=timeline_of(found, evidence),
        see=rule.see,
    )


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda each: (-each.credits_lost, each.code)))
