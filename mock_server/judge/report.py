"""The result of a judgement: what was found over all days. `--json` writes it as it is here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from msgspec import Struct
from msgspec.structs import asdict

from mock_server.control.judgement_answers import Finding, Inconclusive, Judgement
from mock_server.judge.days import Day
from mock_server.verdict.catalogue import RULES

FORMAT = "hailuo-mock judgement 1"


class FoundOnDays(Finding, frozen=True, kw_only=True):
    """A finding or a note, as it was on the day on which most credits were lost.
    days: all on which it was found."""

    days: tuple[str, ...]


class DayFacts(Struct, frozen=True):
    """One run. exit_code: None if the judge ended it."""

    name: str
    shows: str
    ended_by: str
    exit_code: int | None
    took_s: float


class Accepted(Struct, frozen=True):
    """A finding that does not count until its date, and why."""

    code: str
    reason: str
    expires: date


class Flip(Struct, frozen=True):
    """The codes that differ from an earlier judgement.
    fixed: findings then, clean now. new: findings that were none then. open: findings both times.
    unknown: findings then that were not decided now."""

    before: datetime
    fixed: tuple[str, ...]
    new: tuple[str, ...]
    open: tuple[str, ...]
    unknown: tuple[str, ...]


class Report(Struct, frozen=True, kw_only=True):
    """The result of a judgement.

    findings, notes: worst first. clean: codes that were put to the test and not found.
    accepted: findings that do not count. problems: sentences about what else is wrong.
    remarks: sentences about acceptances.
    earlier: findings of the baseline, those that are now clean. exit_code: of the command.
    """

    format: str = FORMAT
    version: str
    api: str
    command: tuple[str, ...]
    seed: int
    started_at: datetime
    took_s: float
    days: tuple[DayFacts, ...]
    findings: tuple[FoundOnDays, ...]
    notes: tuple[FoundOnDays, ...]
    inconclusive: tuple[Inconclusive, ...]
    clean: tuple[str, ...]
    accepted: tuple[Accepted, ...] = ()
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    flip: Flip | None = None
    earlier: tuple[FoundOnDays, ...] = ()
    exit_code: int = 0


class Verdict(Struct, frozen=True):
    """What was found over all days."""

    findings: tuple[FoundOnDays, ...]
    notes: tuple[FoundOnDays, ...]
    inconclusive: tuple[Inconclusive, ...]
    clean: tuple[str, ...]


def verdict_of(judged: Sequence[tuple[Day, Judgement]]) -> Verdict:
    """A code is a finding if it is one on any day; else a note; else clean if it was decided on any
    day; else inconclusive, with the reason of a day that is there to decide it. A code is also
    inconclusive if the finding of another rule on any day explains it."""
    proved = {each.code for _, told in judged for each in told.findings}
    suspected = proved.union(each.code for _, told in judged for each in told.notes)
    explained = _explained(suspected, proved)
    findings = _worst_first(
        (day.name, each)
        for day, told in judged
        for each in told.findings
        if each.code not in explained
    )
    found = {each.code for each in findings}
    notes = _worst_first(
        (day.name, each)
        for day, told in judged
        for each in told.notes
        if each.code not in found and each.code not in explained
    )
    clean = {code for _, told in judged for code in told.judged} - suspected
    open_ = {
        code: Inconclusive(code, f"{other} says the same already")
        for code, other in explained.items()
    }
    for is_own_day in (True, False):
        for day, told in judged:
            for each in told.inconclusive:
                if (each.code in day.codes) is is_own_day and each.code not in suspected | clean:
                    open_.setdefault(each.code, each)
    return Verdict(
        tuple(findings),
        tuple(notes),
        tuple(open_[code] for code in sorted(open_)),
        tuple(sorted(clean)),
    )


def _explained(suspected: Collection[str], proved: Collection[str]) -> dict[str, str]:
    """The suspected codes that a proved one explains, and that one."""
    causes = {
        rule.code: [each for each in rule.explained_by if each in proved]
        for rule in RULES.values()
        if rule.code in suspected
    }
    return {code: proved_by[0] for code, proved_by in causes.items() if proved_by}


def _worst_first(found: Iterable[tuple[str, Finding]]) -> list[FoundOnDays]:
    """One for each code: the one that cost most, with the days of all."""
    by_code: dict[str, list[tuple[str, Finding]]] = {}
    for day, each in found:
        by_code.setdefault(each.code, []).append((day, each))
    merged = [
        FoundOnDays(
            **asdict(max((each for _, each in same), key=lambda each: each.credits_lost)),
            days=tuple(dict.fromkeys(day for day, _ in same)),
        )
        for same in by_code.values()
    ]
    return sorted(merged, key=lambda each: (-each.credits_lost, each.code))
