"""The end of a run on a terminal."""

from __future__ import annotations

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
_ROWS_WITHOUT_TERMINAL = 160


def console() -> Console:
    """Stdout; wide where nobody has set a width, plain where NO_COLOR is set."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _ROWS_WITHOUT_TERMINAL
    return Console(width=width, highlight=False, soft_wrap=False)


def show(told: Mapping[str, Any]) -> None:
    """The table of promises, what was left out, and every finding."""
    out = console()
    out.print(_promises(told))
    for name, rows in (("left out", told["left_out"]), ("came to no verdict", _open(told))):
        _reasons(out, name, rows)
    for finding in told["refuted"]:
        out.print(Text("\nREFUTED (assumed, no failure)", style="yellow"))
        out.print(Text(finding_text(finding)))
    for finding in told["findings"]:
        out.print(Text("\nBROKEN", style="bold red"))
        out.print(Text(finding_text(finding)))
    out.print(Text("\n" + _last_line(told)))


def _promises(told: Mapping[str, Any]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("promise", ratio=1, no_wrap=True)
    table.add_column("source")
    table.add_column("checked", justify="right")
    table.add_column("verdict")
    silent: Counter[str] = Counter()
    for row in told["promises"]:
        if row["verdict"] == "not checked":
            silent[row["kind"]] += 1
            continue
        text = row["promise"] if row["kind"] == "rule" else row["id"]
        verdict = Text(row["verdict"], style=_COLOURS[row["verdict"]])
        table.add_row(Text(text), row["origin"], str(row["checked"]), verdict)
    for kind, count in silent.items():
        table.add_row(f"({count} of kind {kind})", "", "0", Text("not checked", style="dim"))
    return table


def _open(told: Mapping[str, Any]) -> list[dict[str, str]]:
    return [row for row in told["checks"] if row["outcome"] == "skipped"]


def _reasons(out: Console, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Checks by the reason they share."""
    by_reason: dict[str, list[str]] = {}
    for row in rows:
        by_reason.setdefault(row["reason"], []).append(row["check"].rpartition("::")[2])
    for reason, checks in by_reason.items():
        shown = ", ".join(checks[:4]) + (f" and {len(checks) - 4} more" if len(checks) > 4 else "")
        out.print(Text(f"{name}: {len(checks)} ({reason}): {shown}", style="dim"))


def finding_text(finding: Mapping[str, Any]) -> str:
    """A finding as a person wants it: what, by whom, expected, got, how to see it."""
    lines = [
        f"  {finding['promise']}",
        f"  promise   {finding['id']} ({finding['source']}; {finding['place']})",
        f"  expected  {finding['expected']}",
        f"  got       {finding['got']}",
        f"  check     {finding['check']}, seed {finding['seed']}",
        f"  blame     {finding['blame']}",
    ]
    if finding["curl"]:
        lines.append("  see it    " + finding["curl"].replace("\n", "\n            "))
        lines.append(f"  answer    {finding['status']} {finding['answer']}")
    return "\n".join(lines)


def _last_line(told: Mapping[str, Any]) -> str:
    verdicts = Counter(row["verdict"] for row in told["promises"])
    words = {0: "the contract holds", 1: "findings", 2: "nothing was checked"}
    reached = told["reached"]
    limit = "" if told["max_credits"] is None else f" of at most {told['max_credits']}"
    if told["max_credits"] is not None and told["doubtful_credits"]:
        limit = f" and perhaps {told['doubtful_credits']} more{limit}"
    return (
        f"{words[told['exit_code']]}: {verdicts['held'] + verdicts['confirmed']} held, "
        f"{verdicts['broken']} broken, {verdicts['refuted']} refuted, "
        f"{verdicts['not checked']} not checked; {len(told['checks'])} checks, "
        f"{told['requests']} requests, {told['took_s']:.1f} s; "
        f"{reached['operations']}/{reached['of_operations']} operations, "
        f"{reached['statuses']}/{reached['of_statuses']} statuses, "
        f"{reached['keywords']}/{reached['of_keywords']} schema keywords; "
        f"credits planned {told['planned_credits']}, spent {told['spent_credits']}{limit}; "
        f"seed {told['seed']}"
    )


def show_promises(rows: Sequence[Mapping[str, Any]]) -> None:
    """`check --list`."""
    table = Table(box=None, header_style="bold")
    table.add_column("promise", ratio=2, no_wrap=True)
    table.add_column("source", no_wrap=True)
    table.add_column("held by", ratio=1, no_wrap=True)
    for row in rows:
        text = row["promise"] if row["kind"] == "rule" else row["id"]
        checks = ", ".join(check.rpartition("::")[2] for check in row["checks"])
        table.add_row(Text(text), row["source"], checks)
    console().print(table)
    console().print(f"{len(rows)} promises")
