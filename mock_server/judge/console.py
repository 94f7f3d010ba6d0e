"""Writes a report for people at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import click

from mock_server.control.judgement_answers import Finding, Inconclusive, JudgedMoment
from mock_server.core.printable import printable
from mock_server.judge.report import FoundOnDays, Report

WIDTH = 80
_MOST_MOMENTS = 8


def as_text(report: Report, *, colour: bool = False) -> str:
    """The report, at most WIDTH columns wide. colour: with escape sequences of a terminal."""
    lines = list(_lines(report))
    text = "\n".join(lines) + "\n"
    return text if colour else click.unstyle(text)


def proved(after_s: float, day: str, finding: Finding, sentence: str) -> list[str]:
    """The lines about a finding that stands while the client runs. sentence: without secrets."""
    start = f"{after_s:6.1f} s  "
    text = f"{finding.code} {finding.name}, day {day}: {sentence}"
    return _wrapped(text, start, " " * len(start))


def counted(number: int, noun: str) -> str:
    """The number with its noun: `1 finding`, `2 findings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def headline(report: Report) -> str:
    """The result in a few words."""
    if report.findings:
        lost = sum(each.credits_lost for each in report.findings)
        cost = f", {counted(lost, 'credit')} lost" if lost else ""
        return counted(len(report.findings), "finding") + cost
    return "No findings" if not report.problems else counted(len(report.problems), "problem")


def moments(timeline: Sequence[JudgedMoment]) -> list[tuple[str, str]]:
    """The lines of a timeline: the real seconds since its first moment, if they are known, and what
    happened. Of a long one the middle is left out."""
    first = next((each.wall_at for each in timeline if each.wall_at is not None), None)
    lines = [(_seconds_after(first, each.wall_at), each.what) for each in timeline]
    if len(lines) > _MOST_MOMENTS:
        half = _MOST_MOMENTS // 2
        left_out = ("", f"({len(lines) - 2 * half} more)")
        return [*lines[:half], left_out, *lines[-half:]]
    return lines


def _seconds_after(first: datetime | None, at: datetime | None) -> str:
    return "" if first is None or at is None else f"+{(at - first).total_seconds():.3f} s"


def by_reason(inconclusive: Iterable[Inconclusive]) -> list[tuple[str, list[str]]]:
    """The reasons, each with its codes."""
    codes: dict[str, list[str]] = {}
    for each in inconclusive:
        codes.setdefault(each.reason, []).append(each.code)
    return list(codes.items())


def _lines(report: Report) -> Iterator[str]:
    days = counted(len(report.days), "day")
    yield f"{report.api}: {days} in {report.took_s:.1f} s, seed {report.seed}"
    yield ""
    is_good = not report.findings and not report.problems
    yield click.style(headline(report), bold=True, fg="green" if is_good else "red")
    for found in report.findings:
        yield ""
        yield from _finding(found, "red")
    if report.notes:
        yield ""
        yield click.style(f"{counted(len(report.notes), 'note')}: suspected, not proved", bold=True)
        for found in report.notes:
            yield ""
            yield from _finding(found, "yellow")
    yield from _section("Problems", ((problem,) for problem in report.problems))
    yield from _section(
        "Accepted",
        ((each.code, f"until {each.expires}: {each.reason}") for each in report.accepted),
    )
    yield from _section("Remarks", ((remark,) for remark in report.remarks))
    if report.flip is not None:
        yield from _section(
            f"Since {report.flip.before:%Y-%m-%d %H:%M}",
            (
                (name, ", ".join(codes))
                for name in ("fixed", "new", "open", "unknown")
                if (codes := getattr(report.flip, name))
            ),
        )
    if report.inconclusive:
        yield ""
        yield click.style(f"Inconclusive: {len(report.inconclusive)}", bold=True)
        for reason, codes in by_reason(report.inconclusive):
            yield from _wrapped(" ".join(codes), "  ")
            yield from _wrapped(reason, "    ")
    yield from _section(f"Clean: {len(report.clean)}", [(" ".join(report.clean) or "none",)])


def _finding(found: FoundOnDays, colour: str) -> Iterator[str]:
    cost = f"{counted(found.credits_lost, 'credit')} lost" if found.credits_lost else ""
    name = printable(found.name)
    gap = " " * max(2, WIDTH - len(found.code) - 2 - len(name) - len(cost)) if cost else ""
    yield f"{click.style(found.code, fg=colour, bold=True)}  {name}{gap}{cost}"
    yield from _wrapped(found.sentence, "  ")
    for at, what in moments(found.timeline):
        yield from _wrapped(what, f"  {at:>11}  ", " " * 15)
    for number, line in enumerate(found.fix):
        yield from _wrapped(line, "  " + ("fix" if not number else "").ljust(6), " " * 8)
    for number, place in enumerate(found.see):
        yield ("        " if number else "  see   ") + printable(place)  # whole, to be copied
    yield from _wrapped(", ".join(found.days), "  days  ", " " * 8)


def _section(title: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A title and its rows; nothing if there are none. A row of two has a name before its text."""
    rows = list(rows)
    if not rows:
        return
    yield ""
    yield click.style(title, bold=True)
    for row in rows:
        *names, text = row
        start = "".join(f"  {name:<7} " for name in names) or "  "
        yield from _wrapped(text, start, " " * len(start))


def _wrapped(text: str, start: str, others: str | None = None) -> list[str]:
    """The text in lines of at most WIDTH columns. A long word, such as a URL, is broken."""
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=start,
        subsequent_indent=start if others is None else others,
        break_on_hyphens=False,
    )
