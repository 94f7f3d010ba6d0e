"""Writes a report as one HTML file without outside references, for screens and for paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import msgspec

from mock_server.judge.console import by_reason, counted, headline, moments
from mock_server.judge.report import FoundOnDays, Report
from mock_server.verdict.catalogue import RuleInfo


def as_receipt(report: Report, rules: Sequence[RuleInfo]) -> bytes:
    """The file. The report as JSON is in it, too."""
    names = {rule.code: rule.name for rule in rules}
    is_good = not report.findings and not report.problems
    parts = [
        f'<h1 class="{"good" if is_good else "bad"}">{escape(headline(report))}</h1>',
        _facts(report),
        _flip(report, names),
        *(_finding(each, "bad") for each in report.findings),
        _heading("Problems", report.problems),
        _list(map(escape, report.problems)),
        _heading("Remarks", report.remarks),
        _list(map(escape, report.remarks)),
        _heading("Notes: suspected, not proved", report.notes),
        *(_finding(each, "maybe") for each in report.notes),
        _heading("Accepted", report.accepted),
        _list(
            f"<code>{each.code}</code> until {each.expires}: {escape(each.reason)}"
            for each in report.accepted
        ),
        _heading("Clean", report.clean),
        _list(
            (f"<code>{code}</code> {escape(names.get(code, ''))}" for code in report.clean), "cols"
        ),
        _heading("Inconclusive", report.inconclusive),
        _list(
            f"{', '.join(f'<code>{code}</code>' for code in codes)}: {escape(reason)}"
            for reason, codes in by_reason(report.inconclusive)
        ),
        _days(report),
    ]
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # No policy of a web server lets it load anything either.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(report.api)}: {escape(headline(report))}</title>\n"
        f"<style>{_STYLE}</style>\n"
        f"</head>\n<body>\n{chr(10).join(filter(None, parts))}\n{_data(report)}\n</body>\n</html>\n"
    )
    return page.encode(errors="replace")


def _facts(report: Report) -> str:
    command = " ".join(report.command)
    when = f"{report.started_at:%Y-%m-%d %H:%M} UTC"
    days = counted(len(report.days), "day")
    said = f"{report.api}, {when}, {days} in {report.took_s:.1f} s, seed {report.seed}"
    tool = f"hailuo-mock {report.version}"
    return f"<p><code>{escape(command)}</code></p>\n<p>{escape(said)}; {escape(tool)}.</p>"


def _flip(report: Report, names: dict[str, str]) -> str:
    """What failed then and passes now, with its timeline of then."""
    flip = report.flip
    if flip is None:
        return ""
    now = {
        **dict.fromkeys(flip.fixed, ("good", "passes")),
        **dict.fromkeys(flip.open, ("bad", "fails")),
        **dict.fromkeys(flip.new, ("bad", "fails")),
        **dict.fromkeys(flip.unknown, ("maybe", "not decided")),
    }
    rows = [
        f"<tr><td><code>{code}</code> {escape(names.get(code, ''))}</td>"
        f"<td>{'no finding' if code in flip.new else '<span class=bad>failed</span>'}</td>"
        f'<td class="{style}">{word}</td></tr>'
        for code, (style, word) in sorted(now.items())
    ]
    table = (
        f"<table><tr><th>Rule</th><th>{flip.before:%Y-%m-%d %H:%M}</th><th>now</th></tr>"
        f"{''.join(rows)}</table>"
    )
    fixed = [_finding(each, "good", "then") for each in report.earlier if each.code in flip.fixed]
    return "\n".join(["<h2>Before and after</h2>", table if rows else "<p>No change.</p>", *fixed])


def _finding(found: FoundOnDays, style: str, when: str = "") -> str:
    lost = f"{counted(found.credits_lost, 'credit')} lost" if found.credits_lost else ""
    rows = "".join(
        f"<tr><td>{at}</td><td>{escape(what)}</td></tr>" for at, what in moments(found.timeline)
    )
    cost = f"<b>{'; '.join(filter(None, [when, lost]))}</b>" if when or lost else ""
    return (
        f'<section class="{style}"><h3><code>{found.code}</code> {escape(found.name)} {cost}</h3>'
        f"<p>{escape(found.sentence)}</p>"
        + (f'<table class="time">{rows}</table>' if rows else "")
        + f"<p><b>Fix</b><br>{'<br>'.join(map(escape, found.fix))}</p>"
        f"<p><small>See {escape(', '.join(found.see))}. "
        f"Days: {escape(', '.join(found.days))}.</small></p>"
        "</section>"
    )


def _days(report: Report) -> str:
    rows = "".join(
        f"<tr><td>{escape(day.name)}</td><td>{escape(day.shows)}</td>"
        f"<td>{'ended by the judge' if day.exit_code is None else f'exit {day.exit_code}'}, "
        f"{day.took_s:.1f} s</td></tr>"
        for day in report.days
    )
    head = "<tr><th>Day</th><th>What went wrong</th><th>The client</th></tr>"
    return f'<h2>Days</h2><table class="days">{head}{rows}</table>' if rows else ""


def _heading(title: str, rows: Sequence[object]) -> str:
    return f"<h2>{title}</h2>" if rows else ""


def _list(rows: Iterable[str], style: str = "") -> str:
    items = "".join(f"<li>{row}</li>" for row in rows)
    return f'<ul class="{style}">{items}</ul>' if items else ""


def _data(report: Report) -> str:
    """The report as JSON. No `<` is in it, so that nothing in it can end its element."""
    document = msgspec.json.encode(report).decode().replace("<", "\\u003c")
    return f'<script type="application/json" id="judgement">{document}</script>'


_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, p, li, table.time td { overflow-wrap: anywhere; }
h1 { margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
h3 { font-size: 1rem; margin: 0; }
h3 b { float: right; }
section { border-left: .3rem solid; padding: .1rem 0 .1rem 1rem; margin: 1.25rem 0; clear: both; }
section p { margin: .4rem 0; }
section.bad { border-color: #c4281c; } section.maybe { border-color: #9a6700; }
section.good { border-color: #287d3c; }
h1.bad, td.bad, span.bad { color: #c4281c; } h1.good, td.good { color: #287d3c; }
td.maybe { color: #9a6700; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; }
tr { border-bottom: 1px solid #8884; } table.time tr { border: 0; }
table.time { font-family: ui-monospace, monospace; font-size: .85rem; }
table.time td:first-child { text-align: right; white-space: nowrap; width: 6rem; }
table.time td { padding-top: 0; padding-bottom: 0; }
table.days td:last-child { white-space: nowrap; }
ul { padding-left: 1.2rem; } ul.cols { columns: 18rem; }
@media (max-width: 40rem) {
  body { margin: 1rem auto; padding: 0 .75rem; } h3 b { float: none; display: block; }
  table.time td:first-child { width: auto; } table.days td:last-child { white-space: normal; }
}
@media print { body { margin: 0; max-width: none; } section, tr { break-inside: avoid; } }
"""
