"""`make teeth`: the suite against every broken server, and against the whole one.

`python -m contract_tests.broken serve NAME` starts one broken server.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contract_tests.broken import acedata, rivya
from contract_tests.broken.breakage import Breakage
from contract_tests.contract import APIS
from contract_tests.fakes import COMMAND

BREAKAGES = (*rivya.BROKEN.breakages, *acedata.BROKEN.breakages)
_LONGEST_RUN_S = 300


@dataclass(frozen=True)
class Bite:
    """What the suite made of one server. found: the promises it found broken, the first first."""

    exit_code: int
    found: tuple[str, ...]
    took_s: float
    first_finding_s: float | None
    said: str = ""
    reached: Any = None


def name_of(breakage: Breakage) -> str:
    """A broken server's name: its API's, then its own."""
    return f"{breakage.api}/{breakage.name}"


@click.group(invoke_without_command=True)
@click.option("--api", type=click.Choice([*APIS, "all"]), default="all", help="Of one API only.")
@click.option("--only", default="", help="Servers whose name contains this.")
@click.option("--seeds", default=20, help="How often the whole fake is checked.")
@click.option("--jobs", default=os.cpu_count() or 1, help="How many runs at once.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def main(
    context: click.Context, *, api: str, only: str, seeds: int, jobs: int, as_json: bool
) -> None:
    """Show that the suite catches every broken server and none that is whole."""
    if context.invoked_subcommand is not None:
        return
    began_s = time.monotonic()
    chosen = [each for each in BREAKAGES if api in (each.api, "all") and only in name_of(each)]
    if not chosen:
        click.echo(f"no broken server's name contains {only!r}", err=True)
        sys.exit(2)
    with ThreadPoolExecutor(jobs) as pool:
        bites = list(pool.map(_bitten, chosen))
        whole = list(pool.map(_whole, range(1, seeds + 1)))
    told = _told(chosen, bites, whole, time.monotonic() - began_s)
    told["reached"] = whole[0].reached if whole else None
    print(json.dumps(told, indent=1)) if as_json else _show(told)
    sys.exit(told["exit_code"])


@main.command()
@click.argument("name", type=click.Choice([name_of(each) for each in BREAKAGES]))
def serve(name: str) -> None:
    """Start one broken server; settings come from the environment."""
    from contract_tests.broken.serve import run

    sys.exit(run(next(each for each in BREAKAGES if name_of(each) == name)))


def _bitten(breakage: Breakage) -> Bite:
    command = [sys.executable, "-m", "contract_tests.broken", "serve", name_of(breakage)]
    return _checked(["--api", breakage.api, "--stop-early"], {COMMAND: shlex.join(command)})


def _whole(seed: int) -> Bite:
    """The whole fake: in full with the first seed, quickly with the others."""
    return _checked([*([] if seed == 1 else ["--quick"]), "--seed", str(seed)], {})


def _checked(arguments: Iterable[str], environment: dict[str, str]) -> Bite:
    """One run of `hailuo-mock check` in a process of its own."""
    command = [sys.executable, "-m", "mock_server", "check", "--json", *arguments]
    began_s = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=_LONGEST_RUN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Bite(2, (), _LONGEST_RUN_S, None, f"not done within {_LONGEST_RUN_S} s")
    took_s = time.monotonic() - began_s
    try:
        told: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return Bite(2, (), took_s, None, done.stderr[-500:])
    found = tuple(finding["id"] for finding in told["findings"])
    started_s = took_s - told["took_s"]
    first_s = told["first_finding_s"]
    return Bite(
        done.returncode, found, took_s, None if first_s is None else started_s + first_s,
        "; ".join(finding["got"] for finding in told["findings"])[:300], told["reached"],
    )  # fmt: skip


def _told(
    chosen: list[Breakage], bites: list[Bite], whole: list[Bite], took_s: float
) -> dict[str, Any]:
    rows = [
        {
            "name": name_of(breakage),
            "breaks": breakage.promise,
            "caught": bite.exit_code == 1,
            "found": list(bite.found),
            "first_finding_s": bite.first_finding_s and round(bite.first_finding_s, 2),
            "took_s": round(bite.took_s, 2),
            "said": bite.said,
        }
        for breakage, bite in zip(chosen, bites, strict=True)
    ]
    alarms = [
        {"seed": seed, "exit_code": bite.exit_code, "found": list(bite.found), "said": bite.said}
        for seed, bite in enumerate(whole, start=1)
        if bite.exit_code
    ]
    missed = [row["name"] for row in rows if not row["caught"]]
    times = [bite.first_finding_s for bite in bites if bite.first_finding_s is not None]
    return {
        "exit_code": 1 if missed or alarms else 0,
        "broken": rows,
        "caught": len(rows) - len(missed),
        "missed": missed,
        "seeds": len(whole),
        "false_alarms": alarms,
        "median_first_finding_s": round(median(times), 2) if times else None,
        "slowest_first_finding_s": round(max(times), 2) if times else None,
        "took_s": round(took_s, 1),
    }


def _show(told: dict[str, Any]) -> None:
    out = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    table = Table(box=None, header_style="bold")
    for column in ("broken server", "breaks", "found", "first finding"):
        table.add_column(column, justify="right" if column == "first finding" else "left")
    for row in told["broken"]:
        own = row["breaks"] in row["found"]
        first = row["first_finding_s"]
        found = "its own" if own else ", ".join(row["found"][:1]) or f"MISSED {row['said'][:60]}"
        style = "" if row["caught"] else "bold red"
        words = (row["name"], row["breaks"], found, "" if first is None else f"{first:.1f} s")
        table.add_row(*(Text(word, style=style) for word in words))
    out.print(table)
    for alarm in told["false_alarms"]:
        out.print(Text(f"FALSE ALARM with seed {alarm['seed']}: {alarm['found']} {alarm['said']}"))
    if told["reached"]:
        reached = told["reached"]
        out.print(
            Text(
                f"\nreached: {reached['operations']}/{reached['of_operations']} operations, "
                f"{reached['statuses']}/{reached['of_statuses']} statuses, "
                f"{reached['keywords']}/{reached['of_keywords']} schema keywords of answers"
            )
        )
        out.print(Text("never: " + ", ".join(reached["never"] + reached["never_keywords"])))
    out.print(
        Text(
            f"\n{told['caught']} of {len(told['broken'])} broken servers caught, "
            f"{len(told['missed'])} missed; first finding after {told['median_first_finding_s']} s "
            f"(median), {told['slowest_first_finding_s']} s (slowest); whole fake: "
            f"{len(told['false_alarms'])} false alarms over {told['seeds']} seeds; "
            f"{told['took_s']} s"
        )
    )


if __name__ == "__main__":
    main()
