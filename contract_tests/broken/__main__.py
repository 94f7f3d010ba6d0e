"""`make teeth`: runs the suite on every broken server, and on the fake itself.

`python -m contract_tests.broken serve NAME` starts one broken server.
"""

from __future__ import annotations

import json
import os
import shlex
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

from contract_tests.broken import acedata, forked, rivya, subtle_acedata, subtle_rivya  # noqa: F401
from contract_tests.broken.broken_server import BrokenServer
from contract_tests.broken.harmless import HARMLESS_SERVERS
from contract_tests.broken.rivya import messages
from contract_tests.contract import APIS
from contract_tests.fakes import COMMAND

# Each module of the packages has added its servers when it was imported.
BROKEN_SERVERS = (*messages.BROKEN.servers, *acedata.BROKEN.servers)
_SERVED = (*BROKEN_SERVERS, *HARMLESS_SERVERS)


@dataclass(frozen=True)
class CheckRun:
    """The result of the suite on one server. found: the broken promises, in the order found."""

    exit_code: int
    found: tuple[str, ...]
    took_s: float
    first_finding_s: float | None
    message: str = ""
    reached: Any = None


def name_of(broken_server: BrokenServer) -> str:
    """The full name of a broken server: its API, then its own name."""
    return f"{broken_server.api}/{broken_server.name}"


@click.group(invoke_without_command=True)
@click.option("--api", type=click.Choice([*APIS, "all"]), default="all", help="Of one API only.")
@click.option("--only", default="", help="Servers whose name contains this.")
@click.option("--whole", is_flag=True, help="Run all checks at once on each server.")
@click.option("--seeds", default=20, help="How often the fake itself is checked.")
@click.option("--jobs", default=os.cpu_count() or 1, help="How many runs at once.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def main(
    context: click.Context,
    *,
    api: str,
    only: str,
    whole: bool,
    seeds: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Show that the suite finds each broken server, and finds nothing on the fake itself."""
    if context.invoked_subcommand is not None:
        return
    began_s = time.monotonic()
    chosen = [each for each in BROKEN_SERVERS if api in (each.api, "all") and only in name_of(each)]
    if not chosen:
        click.echo(f"no broken server's name contains {only!r}", err=True)
        sys.exit(2)
    harmless = [each for each in HARMLESS_SERVERS if api in (each.api, "all")] if seeds else []
    with ThreadPoolExecutor(jobs) as pool:
        broken_runs = list(pool.map(_check_whole if whole else _check_own_first, chosen))
        harmless_runs = list(pool.map(_check_whole, harmless))
        fake_runs = list(pool.map(_check_fake, range(1, seeds + 1)))
    result = _result(chosen, broken_runs, fake_runs, time.monotonic() - began_s)
    result["false_alarms"] += [
        {"seed": name_of(each), "exit_code": run.exit_code, "found": list(run.found)}
        | {"said": run.message}
        for each, run in zip(harmless, harmless_runs, strict=True)
        if run.exit_code
    ]
    result["exit_code"] = 1 if result["missed"] or result["false_alarms"] else 0
    result["reached"] = fake_runs[0].reached if fake_runs else None
    print(json.dumps(result, indent=1)) if as_json else _show(result)
    sys.exit(result["exit_code"])


@main.command()
@click.argument("name", type=click.Choice([name_of(each) for each in _SERVED]))
def serve(name: str) -> None:
    """Start one broken server; settings come from the environment."""
    from contract_tests.broken.serve import run

    sys.exit(run(next(each for each in _SERVED if name_of(each) == name)))


def _check_own_first(broken_server: BrokenServer) -> CheckRun:
    """Run the checks of the broken promise, and all checks only if those find nothing."""
    own = _check_broken(broken_server, "--only", broken_server.promise)
    return own if own.exit_code == 1 else _check_whole(broken_server)


def _check_whole(broken_server: BrokenServer) -> CheckRun:
    return _check_broken(broken_server)


def _check_broken(broken_server: BrokenServer, *options: str) -> CheckRun:
    command = [sys.executable, "-m", "contract_tests.broken", "serve", name_of(broken_server)]
    arguments = ["--api", broken_server.api, "--stop-early", *options]
    return _check(arguments, {COMMAND: shlex.join(command)})


def _check_fake(seed: int) -> CheckRun:
    """Check the fake itself: in full with the first seed, with --quick with the others."""
    return _check([*([] if seed == 1 else ["--quick"]), "--seed", str(seed)], {})


def _check(arguments: Iterable[str], environment: dict[str, str]) -> CheckRun:
    """One run of `hailuo-mock check` in a process of its own."""
    began_s = time.monotonic()
    try:
        done = forked.run("check", "--json", *arguments, environment=os.environ | environment)
    except TimeoutError as error:
        return CheckRun(2, (), time.monotonic() - began_s, None, str(error))
    took_s = time.monotonic() - began_s
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return CheckRun(2, (), took_s, None, done.stderr[-500:])
    found = tuple(finding["id"] for finding in result["findings"])
    started_s = took_s - result["took_s"]
    first_s = result["first_finding_s"]
    return CheckRun(
        done.returncode, found, took_s, None if first_s is None else started_s + first_s,
        "; ".join(finding["got"] for finding in result["findings"])[:300], result["reached"],
    )  # fmt: skip


def _result(
    chosen: list[BrokenServer],
    broken_runs: list[CheckRun],
    fake_runs: list[CheckRun],
    took_s: float,
) -> dict[str, Any]:
    rows = [
        {
            "name": name_of(broken_server),
            "breaks": broken_server.promise,
            "caught": run.exit_code == 1,
            "found": list(run.found),
            "first_finding_s": run.first_finding_s and round(run.first_finding_s, 2),
            "took_s": round(run.took_s, 2),
            "said": run.message,
        }
        for broken_server, run in zip(chosen, broken_runs, strict=True)
    ]
    alarms = [
        {"seed": seed, "exit_code": run.exit_code, "found": list(run.found), "said": run.message}
        for seed, run in enumerate(fake_runs, start=1)
        if run.exit_code
    ]
    missed = [row["name"] for row in rows if not row["caught"]]
    times = [run.first_finding_s for run in broken_runs if run.first_finding_s is not None]
    return {
        "exit_code": 1 if missed or alarms else 0,
        "broken": rows,
        "caught": len(rows) - len(missed),
        "missed": missed,
        "seeds": len(fake_runs),
        "false_alarms": alarms,
        "median_first_finding_s": round(median(times), 2) if times else None,
        "slowest_first_finding_s": round(max(times), 2) if times else None,
        "took_s": round(took_s, 1),
    }


def _show(result: dict[str, Any]) -> None:
    out = Console(width=None if sys.stdout.isatty() else 150, highlight=False)
    table = Table(box=None, header_style="bold")
    for column in ("broken server", "breaks", "found", "first finding"):
        table.add_column(column, justify="right" if column == "first finding" else "left")
    for row in result["broken"]:
        own = row["breaks"] in row["found"]
        first = row["first_finding_s"]
        found = "its own" if own else ", ".join(row["found"][:1]) or f"MISSED {row['said'][:60]}"
        style = "" if row["caught"] else "bold red"
        words = (row["name"], row["breaks"], found, "" if first is None else f"{first:.1f} s")
        table.add_row(*(Text(word, style=style) for word in words))
    out.print(table)
    for alarm in result["false_alarms"]:
        out.print(
            Text(f"FALSE ALARM, seed or server {alarm['seed']}: {alarm['found']} {alarm['said']}")
        )
    if result["reached"]:
        reached = result["reached"]
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
            f"\n{result['caught']} of {len(result['broken'])} broken servers caught, "
            f"{len(result['missed'])} missed; first finding after "
            f"{result['median_first_finding_s']} s (median), "
            f"{result['slowest_first_finding_s']} s (slowest); the fake itself: "
            f"{len(result['false_alarms'])} false alarms over {result['seeds']} seeds; "
            f"{result['took_s']} s"
        )
    )


if __name__ == "__main__":
    main()
