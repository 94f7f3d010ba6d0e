"""Prints the result of a run as tables."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COLOURS = {
    "held": "green",
    "confirmed": "green",
    "broken": "bold red",
    "refuted": "yellow",
    "not checked": "dim",
}
_WIDTH_WITHOUT_TERMINAL = 160


def console() -> Console:
    """A console on stdout. Without a terminal it is wide; with NO_COLOR it has no colours."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # answers may have half a character
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _WIDTH_WITHOUT_TERMINAL
    return Console(width=width, highlight=False, soft_wrap=False)


def show(result: Mapping[str, Any]) -> None:
    """Print the table of promises, the checks that did not run, and every finding."""
    out = console()
    out.print(_promises(result))
    for name, rows in (("left out", result["left_out"]), ("no verdict", _without_verdict(result))):
        _print_reasons(out, name, rows)
    for finding in result["refuted"]:
        out.print(Text("\nREFUTED (assumed, no failure)", style="yellow"))
        out.print(Text(finding_text(finding)))
    for finding in result["findings"]:
        out.print(Text("\nBROKEN", style="bold red"))
        out.print(Text(finding_text(finding)))
    out.print(Text("\n" + _last_line(result)))


def _promises(result: Mapping[str, Any]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("promise", ratio=1, no_wrap=True)
    table.add_column("source")
    table.add_column("checked", justify="right")
    table.add_column("verdict")
    not_checked: Counter[str] = Counter()
    for row in result["promises"]:
        if row["verdict"] == "not checked":
            not_checked[row["kind"]] += 1
            continue
        text = row["promise"] if row["kind"] == "rule" else row["id"]
        verdict = Text(row["verdict"], style=_COLOURS[row["verdict"]])
        table.add_row(Text(text), row["origin"], str(row["checked"]), verdict)
    for kind, count in not_checked.items():
        table.add_row(f"({count} of kind {kind})", "", "0", Text("not checked", style="dim"))
    return table


def _without_verdict(result: Mapping[str, Any]) -> list[dict[str, str]]:
    return [row for row in result["checks"] if row["outcome"] not in {"held", "broken", "refuted"}]


def _print_reasons(out: Console, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Print the names of checks, grouped by reason."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row["check"].rpartition("::")[2])
    for reason, checks in by_reason.items():
        shown = ", ".join(checks[:4]) + (f" and {len(checks) - 4} more" if len(checks) > 4 else "")
        out.print(Text(f"{name}: {len(checks)} ({reason}): {shown}", style="dim"))


def finding_text(finding: Mapping[str, Any]) -> str:
    """A finding as text for people."""
    lines = [
        f"  {finding['promise']}",
        f"  promise   {finding['id']} ({finding['source']}; {finding['place']})",
        f"  expected  {finding['expected']}",
        f"  got       {finding['got']}",
        f"  check     {finding['check']}, seed {finding['seed']}",
        f"  blame     {finding['blame']}",
    ]
    if finding["curl"]:
        lines.append("  request   " + finding["curl"].replace("\n", "\n            "))
        lines.append(f"  answer    {finding['status']} {finding['answer']}")
    return "\n".join(lines)


def _last_line(result: Mapping[str, Any]) -> str:
    verdicts = Counter(row["verdict"] for row in result["promises"])
    word = verdict_of(result)
    reached = result["reached"]
    limit = "" if result["max_credits"] is None else f" of at most {result['max_credits']}"
    if result["max_credits"] is not None and result["doubtful_credits"]:
        limit = f" and perhaps {result['doubtful_credits']} more{limit}"
    return (
        f"{word}: {verdicts['held'] + verdicts['confirmed']} held, "
        f"{verdicts['broken']} broken, {verdicts['refuted']} refuted, "
        f"{verdicts['not checked']} not checked; {len(result['checks'])} checks, "
        f"{result['requests']} requests, {result['took_s']:.1f} s; "
        f"{reached['operations']}/{reached['of_operations']} operations, "
        f"{reached['statuses']}/{reached['of_statuses']} statuses, "
        f"{reached['keywords']}/{reached['of_keywords']} schema keywords; "
        f"credits planned {result['planned_credits']}, spent {result['spent_credits']}{limit}; "
        f"seed {result['seed']}"
    )


def verdict_of(result: Mapping[str, Any]) -> str:
    """The result in words."""
    if result["incomplete"]:
        return f"not finished ({result['incomplete']})"
    words = {0: "the contract holds", 1: "findings"}
    return words.get(result["exit_code"], "nothing was checked")


def show_promises(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the promises, for `check --list`."""
    table = Table(box=None, header_style="bold")
    table.add_column("promise", ratio=2, no_wrap=True)
    table.add_column("source", no_wrap=True)
    table.add_column("checks", ratio=1, no_wrap=True)
    for row in rows:
        text = row["promise"] if row["kind"] == "rule" else row["id"]
        checks = ", ".join(check.rpartition("::")[2] for check in row["checks"])
        table.add_row(Text(text), row["source"], checks)
    console().print(table)
    console().print(f"{len(rows)} promises")
